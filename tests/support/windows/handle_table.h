#pragma once

#include <cstdint>
#include <map>
#include <string>

// What the system knows of a process's handles.
namespace lwmsg::test {

// How many handles of any kind a process has open.
size_t CountHandles(uint32_t pid);
// How many this process has of each kind that has a name ("File", "Event"...).
std::map<std::string, size_t> CountOwnHandlesByKind();

}  // namespace lwmsg::test
