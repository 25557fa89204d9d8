#pragma once

#include <string>
#include <string_view>

#include "lwmsg/status.h"

namespace lwmsg::internal {

// Windows takes and gives UTF-16, everything else here is UTF-8.

// What is no UTF-16 becomes U+FFFD, as such text is only shown.
std::string ToUtf8(std::wstring_view text);

// Error: kInvalidArgument for what is no UTF-8, or holds a zero, at which the system would cut it.
Result<std::wstring> ToWide(std::string_view text);

}  // namespace lwmsg::internal
