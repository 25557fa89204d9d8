#include "tests/hostile/posix/raw_descriptors.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "tests/support/posix/rights.h"

namespace lwmsg::test {
namespace {

// What sendmsg(2) said, 0 if all went.
int Send(const RawPeer& peer, std::string_view bytes,
         const std::vector<std::span<const OsHandle>>& sets) {
  std::vector<std::vector<int>> numbers;
  for (const auto handles : sets) numbers.push_back(NumbersOf(handles));
  const ssize_t size = SendRights(peer.end(), bytes, numbers, MSG_NOSIGNAL);
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
