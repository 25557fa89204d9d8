#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <chrono>

#include "tests/hostile/fixture.h"

// A socket that was given to the server, by whom still has it: its flags are shared (T30).
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SharedFlagsTest : public HostilePeerTest {
 protected:
  // The other end of a connection whose server's end blocks from now on, in each read and write
  // that does not ask otherwise, and for so long that the test sees it.
  RawPeer AdoptOneThatBlocks() {
    auto pair = MakePair();
    auto shared = pair->first.Duplicate();
    EXPECT_EQ(server_->Adopt(std::move(pair->first)), Status());
    const int socket = shared->get();
    const timeval block = {.tv_sec = kBlock.count(), .tv_usec = 0};
    EXPECT_EQ(setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &block, sizeof(block)), 0);
    EXPECT_EQ(setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &block, sizeof(block)), 0);
    EXPECT_EQ(fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK), 0);
    return RawPeer(RawStream(std::move(pair->second)));
  }
  void ExpectNobodyWaited() {
    EXPECT_EQ(Echo(*bystander_), Status());
    EXPECT_LT(std::chrono::steady_clock::now() - start_, kBlock);
  }

  static constexpr seconds kBlock{15};
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST_F(SharedFlagsTest, T30_PeerThatReadsNothingDoesNotHoldTheLoopThoughItsSocketBlocks) {
  Serve();
  RawPeer peer = AdoptOneThatBlocks();
  peer.Write(HelloFrame() + BlobFrame(1, 900'000));
  RunUntil([&] { return server_->State().associations.back().queued_bytes > 0; });
  ExpectNobodyWaited();
  EXPECT_EQ(AnswerTo(peer, 1), Status());
}

TEST_F(SharedFlagsTest, T30_PeerThatIsLateDoesNotHoldTheLoopThoughItsSocketBlocks) {
  Limits limits;
  limits.frame_timeout = milliseconds(50);
  Serve(limits);
  RawPeer peer = AdoptOneThatBlocks();
  peer.Write(HelloFrame() + EchoFrame(1, "text").substr(0, 30));
  // Whose rest the server looks for once more.
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kDeadlineExceeded, {"Limits::frame_timeout"}));
  ExpectNobodyWaited();
}

}  // namespace
}  // namespace lwmsg::test
