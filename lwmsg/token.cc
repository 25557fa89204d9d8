#include "lwmsg/token.h"

#include <algorithm>

namespace lwmsg {
namespace {

std::string Show(const std::optional<uint32_t>& value) {
  return value ? std::to_string(*value) : "unknown";
}

std::string ShowGroups(const std::optional<std::vector<uint32_t>>& groups) {
  if (!groups) return "unknown";
  std::string text;
  for (uint32_t group : *groups) {
    if (!text.empty()) text += ',';
    text += std::to_string(group);
  }
  return text.empty() ? "none" : text;
}

}  // namespace

Token::Token() : facts_(std::make_shared<const TokenFacts>()) {}

Token::Token(TokenFacts facts) : facts_(std::make_shared<const TokenFacts>(std::move(facts))) {}

bool Token::InGroup(uint32_t gid) const {
  if (egid() == gid) return true;
  return groups() && std::find(groups()->begin(), groups()->end(), gid) != groups()->end();
}

std::string Token::ToString() const {
  std::string text = "euid=" + Show(euid()) + " egid=" + Show(egid()) + " pid=" + Show(pid()) +
                     " groups=" + ShowGroups(groups());
  if (label()) text += " label=" + *label();
  return text;
}

std::ostream& operator<<(std::ostream& out, const Token& token) { return out << token.ToString(); }

}  // namespace lwmsg
