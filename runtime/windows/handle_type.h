#pragma once

#include <string>

namespace lwmsg::internal {

// The name that the system has for the type of `handle`'s object: "File" (also of a pipe and of a
// socket), "Section", "Process"...; empty for what is no handle of this process. Never waits.
std::wstring HandleType(void* handle);

}  // namespace lwmsg::internal
