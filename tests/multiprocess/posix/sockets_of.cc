#include "tests/multiprocess/posix/sockets_of.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace lwmsg::test {

std::vector<std::string> SocketsOf(uint32_t pid) {
  std::vector<std::string> sockets;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    std::string target = std::filesystem::read_symlink(entry, error);
    if (target.starts_with("socket:")) sockets.push_back(std::move(target));
  }
  return sockets;
}

}  // namespace lwmsg::test
