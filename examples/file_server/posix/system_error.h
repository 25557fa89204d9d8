#pragma once

#include <lwmsg/lwmsg.h>

#include <string>

// "what: why it failed", under the code that fits this errno.
lwmsg::Status SystemError(const std::string& what, int error);
