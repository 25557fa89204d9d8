#pragma once

#include <lwmsg/lwmsg.h>

#include <string>

// "what: why it failed", under the code that fits this value of GetLastError.
lwmsg::Status SystemError(const std::string& what, unsigned long error);
