#include "tests/hostile/posix/raw_descriptors.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace lwmsg::test {
namespace {

// What sendmsg(2) said, 0 if all went.
int Send(const RawPeer& peer, std::string_view bytes,
         const std::vector<std::span<const OsHandle>>& sets) {
  iovec piece = {const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(253 * sizeof(int)) + CMSG_SPACE(0)> space{};
  size_t used = 0;
  for (const auto handles : sets) {
    if (handles.empty()) continue;
    auto* control = reinterpret_cast<cmsghdr*>(space.data() + used);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(handles.size() * sizeof(int));
    for (size_t i = 0; i < handles.size(); ++i) {
      const int number = handles[i].get();
      std::memcpy(CMSG_DATA(control) + i * sizeof(int), &number, sizeof(int));
    }
    used += CMSG_SPACE(handles.size() * sizeof(int));
  }
  if (used != 0) {
    header.msg_control = space.data();
    header.msg_controllen = used;
  }
  const ssize_t size = sendmsg(peer.end().get(), &header, MSG_NOSIGNAL);
  const int error = size < 0 ? errno : 0;
  EXPECT_TRUE(size < 0 || size == static_cast<ssize_t>(bytes.size()));
  return error;
}

void ExpectSentOrHungUp(int error) {
  EXPECT_TRUE(error == 0 || error == EPIPE || error == ECONNRESET) << std::strerror(error);
}

}  // namespace

void WriteWith(const RawPeer& peer, std::string_view bytes, std::span<const OsHandle> handles) {
  ExpectSentOrHungUp(Send(peer, bytes, {handles}));
}

int TryToWriteWith(const RawPeer& peer, std::string_view bytes, std::span<const OsHandle> handles) {
  return Send(peer, bytes, {handles});
}

void WriteWithSets(const RawPeer& peer, std::string_view bytes, std::span<const OsHandle> first,
                   std::span<const OsHandle> second) {
  ExpectSentOrHungUp(Send(peer, bytes, {first, second}));
}

}  // namespace lwmsg::test
