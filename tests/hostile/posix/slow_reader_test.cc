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

}  // namespace
}  // namespace lwmsg::test
