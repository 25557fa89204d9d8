#include "tests/support/posix/rights.h"

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace lwmsg::test {
namespace {

constexpr size_t kMostAtOnce = 253;  // SCM_MAX_FD of the kernel.

}  // namespace

std::vector<int> NumbersOf(std::span<const OsHandle> handles) {
  std::vector<int> numbers;
  for (const OsHandle& handle : handles) numbers.push_back(handle.get());
  return numbers;
}

ssize_t SendRights(const OsHandle& socket, std::string_view bytes,
                   const std::vector<std::vector<int>>& sets, int flags) {
  std::vector<char> space;
  for (const std::vector<int>& numbers : sets) {
    if (numbers.empty()) continue;
    const size_t size = numbers.size() * sizeof(int);
    const size_t used = space.size();
    space.resize(used + CMSG_SPACE(size));
    auto* control = reinterpret_cast<cmsghdr*>(space.data() + used);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(control), numbers.data(), size);
  }
  iovec piece = {const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = space.empty() ? nullptr : space.data();
  header.msg_controllen = space.size();
  return sendmsg(socket.get(), &header, flags);
}

ssize_t ReceiveRights(const OsHandle& socket, std::span<char> bytes, std::vector<OsHandle>& handles,
                      int flags) {
  iovec piece = {bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostAtOnce * sizeof(int))> space{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = space.data();
  header.msg_controllen = space.size();
  const ssize_t size = recvmsg(socket.get(), &header, flags | MSG_CMSG_CLOEXEC);
  if (size < 0) return size;
  for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    for (size_t at = 0; CMSG_LEN(at) < each->cmsg_len; at += sizeof(int)) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(each) + at, sizeof(number));
      handles.emplace_back(number);
    }
  }
  return size;
}

}  // namespace lwmsg::test
