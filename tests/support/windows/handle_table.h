#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lwmsg/os_handle.h"

// What the system knows of a process's handles.
namespace lwmsg::test {

// Both of this process.
bool SameObject(const OsHandle& a, const OsHandle& b);
// How many handles of any kind a process has open.
size_t CountHandles(uint32_t pid);
// How many of them are of the same object as `own`, which is this process's.
size_t CountHandlesOf(uint32_t pid, const OsHandle& own);
// Of each handle that is of a pipe with a name: that, without \\.\pipe.
std::vector<std::string> NamesOfPipes(uint32_t pid);
// How many this process has of each kind that has a name ("File", "Event"...).
std::map<std::string, size_t> CountOwnHandlesByKind();

}  // namespace lwmsg::test
