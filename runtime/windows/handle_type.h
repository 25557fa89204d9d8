#pragma once

#include <cstdint>
#include <string>

namespace lwmsg::internal {

// The name that the system has for the type of `handle`'s object: "File" (also of a pipe and of a
// socket), "Section", "Process"...; empty for what is no handle of this process. Never waits.
std::wstring HandleType(void* handle);

// The access that `handle` gives, as its object's type has it (FILE_READ_DATA...); 0 for what is no
// handle of this process. Never waits.
uint32_t HandleAccess(void* handle);

}  // namespace lwmsg::internal
