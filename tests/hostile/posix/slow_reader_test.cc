#include <sys/socket.h>

#include <array>

#include "tests/hostile/fixture.h"

namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;

class SlowReaderTest : public HostilePeerTest {};

// Each byte that it takes is progress, of which there would be no end.
TEST_F(SlowReaderTest, DoesNotHoldAnAssociationThatCloses) {
  Limits limits;
  limits.send_timeout = milliseconds(100);
  Serve(limits);
  RawPeer peer = ConnectAndGreet();
  for (uint32_t id = 1; id <= 8; ++id) {
    peer.Write(CallFrame(id, kBlob, [](auto params) {
      params.template initAs<sample::Sample::BlobParams>().setSize(900'000);
    }));
  }
  RunUntil([&] { return server_->State().associations.back().queued_bytes > 5'000'000; });
  peer.Write("no frame");
  auto next = std::chrono::steady_clock::now();
  RunUntil([&] {
    if (std::chrono::steady_clock::now() >= next) {
      std::array<char, 1000> bytes;
      static_cast<void>(recv(peer.end().get(), bytes.data(), bytes.size(), MSG_DONTWAIT));
      next += milliseconds(5);
    }
    return AttackersAreGone();
  });
}

// T59.
TEST_F(SlowReaderTest, IsNotReadWhileItDoesNotRead) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  // Each answer is a hundred times as large.
  const auto call = [](uint32_t id) {
    return CallFrame(id, kBlob, [](auto params) {
      params.template initAs<sample::Sample::BlobParams>().setSize(10'000);
    });
  };
  uint32_t last = 0;
  std::string rest;
  const auto write_more = [&] {
    while (last < 20'000) {
      if (rest.empty()) rest = call(++last);
      const ssize_t size =
          send(peer.end().get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size < 0) return;
      rest.erase(0, static_cast<size_t>(size));
    }
  };
  RunUntil([&] {
    write_more();
    return server_->State().associations.back().queued_bytes > 256 << 10;
  });
  for (int turns = 0; turns < 100; ++turns) {
    write_more();
    EXPECT_EQ(Echo(*bystander_), Status());
  }
  EXPECT_LT(last, 20'000U) << "they were all taken";
  // What one read brings may be answered yet.
  EXPECT_LT(server_->State().associations.back().queued_bytes, 4U << 20);
  // Once it reads it is served as any other.
  const uint32_t calls = last;
  RunUntil([&] {
    peer.Read();
    if (last == calls) write_more();
    return last != calls;
  });
  EXPECT_EQ(AnswerTo(peer, calls), Status());
}

}  // namespace
}  // namespace lwmsg::test
