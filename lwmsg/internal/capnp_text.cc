#include "lwmsg/internal/capnp_text.h"

#include <string_view>

namespace lwmsg::internal {

std::string CapnpText(const kj::Exception& error) {
  constexpr std::string_view kExpression = "expected ";
  const auto description = error.getDescription();
  std::string text(description.begin(), description.end());
  std::erase(text, '\0');
  // The expression may hold semicolons; the message begins with a capital letter.
  size_t end = text.starts_with(kExpression) ? text.find("; ") : std::string::npos;
  while (end != std::string::npos) {
    if (end + 2 < text.size() && text[end + 2] >= 'A' && text[end + 2] <= 'Z') {
      return text.substr(end + 2);
    }
    end = text.find("; ", end + 2);
  }
  return text;
}

}  // namespace lwmsg::internal
