#pragma once

#include <string>

#include "lwmsg/status.h"

namespace lwmsg::internal {

// What GetLastError says, as a Status: `what` failed, with the system's English words and the
// number, and its code for the caller.
Status SystemStatus(const std::string& what, unsigned long error);

}  // namespace lwmsg::internal
