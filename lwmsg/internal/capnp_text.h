#pragma once

#include <kj/exception.h>

#include <string>

namespace lwmsg::internal {

// What Cap'n Proto says is wrong with data, without the expression of its source that failed
// ("expected a <= b [2 <= 1]; Message contained ...") and without zero bytes.
std::string CapnpText(const kj::Exception& error);

}  // namespace lwmsg::internal
