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

std::string ShowIntegrity(uint32_t level) {
  switch (level) {
    case 0:
      return "untrusted";
    case 0x1000:
      return "low";
    case 0x2000:
      return "medium";
    case 0x3000:
      return "high";
    case 0x4000:
      return "system";
    default:
      return std::to_string(level);
  }
}

const char* ShowYes(bool value) { return value ? "yes" : "no"; }

std::string ShowWindows(const Token& token) {
  std::string text;
  if (token.sid()) text += " sid=" + *token.sid();
  if (token.group_sids()) {
    std::string list;
    for (const std::string& sid : *token.group_sids()) list += (list.empty() ? "" : ",") + sid;
    text += " group_sids=" + (list.empty() ? "none" : list);
  }
  if (token.integrity()) text += " integrity=" + ShowIntegrity(*token.integrity());
  if (token.elevated()) text += std::string(" elevated=") + ShowYes(*token.elevated());
  if (token.logon_session()) text += " logon_session=" + std::to_string(*token.logon_session());
  if (token.app_container()) {
    text += std::string(" app_container=") + ShowYes(*token.app_container());
  }
  return text;
}

}  // namespace

const Token::Known Token::kNobody;
const Token::Rare Token::kNothingRare;

Token::Token(TokenFacts facts) {
  const bool has_rare = facts.label || facts.sid || facts.group_sids || facts.integrity ||
                        facts.elevated || facts.logon_session || facts.app_container;
  Known known{facts.euid, facts.egid, facts.pid, std::move(facts.process), std::move(facts.groups),
              nullptr};
  if (has_rare) {
    known.rare = std::make_unique<const Rare>(
        Rare{std::move(facts.label), std::move(facts.sid), std::move(facts.group_sids),
             facts.integrity, facts.elevated, facts.logon_session, facts.app_container});
  }
  known_ = std::make_shared<const Known>(std::move(known));
}

bool Token::InGroup(uint32_t gid) const {
  if (egid() == gid) return true;
  return groups() && std::find(groups()->begin(), groups()->end(), gid) != groups()->end();
}

std::string Token::ToString() const {
  std::string text = "euid=" + Show(euid()) + " egid=" + Show(egid()) + " pid=" + Show(pid()) +
                     " groups=" + ShowGroups(groups());
  if (label()) text += " label=" + *label();
  return text + ShowWindows(*this);
}

std::ostream& operator<<(std::ostream& out, const Token& token) { return out << token.ToString(); }

}  // namespace lwmsg
