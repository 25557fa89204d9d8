#include "tests/hostile/posix/raw_descriptors.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace lwmsg::test {

void WriteWith(const RawPeer& peer, std::string_view bytes, std::span<const OsHandle> handles) {
  const int error = TryToWriteWith(peer, bytes, handles);
  EXPECT_TRUE(error == 0 || error == EPIPE || error == ECONNRESET) << std::strerror(error);
}

int TryToWriteWith(const RawPeer& peer, std::string_view bytes, std::span<const OsHandle> handles) {
  iovec piece = {const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(253 * sizeof(int))> space{};
  if (!handles.empty()) {
    header.msg_control = space.data();
    header.msg_controllen = CMSG_SPACE(handles.size() * sizeof(int));
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(handles.size() * sizeof(int));
    for (size_t i = 0; i < handles.size(); ++i) {
      const int number = handles[i].get();
      std::memcpy(CMSG_DATA(control) + i * sizeof(int), &number, sizeof(int));
    }
  }
  const ssize_t size = sendmsg(peer.end().get(), &header, MSG_NOSIGNAL);
  const int error = size < 0 ? errno : 0;
  EXPECT_TRUE(size < 0 || size == static_cast<ssize_t>(bytes.size()));
  return error;
}

}  // namespace lwmsg::test
