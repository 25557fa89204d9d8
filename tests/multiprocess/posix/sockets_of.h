#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lwmsg::test {

// What the descriptors of a process that are sockets show as: "socket:[4711]".
std::vector<std::string> SocketsOf(uint32_t pid);

}  // namespace lwmsg::test
