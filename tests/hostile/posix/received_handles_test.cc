#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "runtime/uv_loop.h"
#include "tests/hostile/fixture.h"
#include "tests/hostile/posix/raw_descriptors.h"
#include "tests/support/posix/cpu_time.h"
#include "tests/support/posix/lingering_sockets.h"

// Descriptors that a user's peers sent and that wait to be closed, or for the rest of their
// message: Limits::max_received_handles.
namespace lwmsg::test {
namespace {

// The attackers are of another user than those that connect: of an unknown one, as their hello came
// without its sender.
class ReceivedHandlesTest : public HostilePeerTest {
 protected:
  static constexpr size_t kMost = 40;

  void ServeFew(std::chrono::milliseconds frame_timeout = std::chrono::minutes(1)) {
    Limits limits;
    limits.max_received_handles = kMost;
    limits.frame_timeout = frame_timeout;
    limits.hello_timeout = std::chrono::minutes(1);
    Serve(limits);
  }

  RawPeer Attacker() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    RawPeer peer{RawStream(OsHandle(ends[1]))};
    peer.Write(HelloFrame());
    EXPECT_EQ(server_->Adopt(OsHandle(ends[0])), Status());
    return peer;
  }

  // Of no method: nobody takes what comes with it.
  static std::string IgnoredFrame(uint32_t id) { return CallFrame(id, 999, {}, 1); }

  // Sends so many with calls from `id` on, whose close waits until the sockets' other ends are
  // closed.
  void SendLingering(const RawPeer& peer, uint32_t id, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      std::vector<OsHandle> socket;
      socket.push_back(sockets_.New());
      ASSERT_TRUE(socket[0].valid());
      WriteWith(peer, IgnoredFrame(id + static_cast<uint32_t>(i)), socket);
    }
  }

  // The attackers' user has as many open as it may.
  RawPeer AttackerThatIsNotReadAnyMore() {
    RawPeer peer = Attacker();
    SendLingering(peer, 1, kMost);
    EXPECT_TRUE(Says(AnswerTo(peer, kMost), StatusCode::kUnimplemented, {"999"}));
    return peer;
  }

  void ExpectThatNobodyReads(RawPeer& peer, uint32_t id) {
    for (int i = 0; i < 20; ++i) ASSERT_EQ(Echo(*bystander_), Status());
    peer.Read();
    EXPECT_FALSE(peer.ReplyTo(id) || peer.ended());
  }

  void TearDown() override {
    sockets_.CloseOtherEnds();
    HostilePeerTest::TearDown();
  }

  LingeringSockets sockets_{std::chrono::minutes(5)};
};

TEST_F(ReceivedHandlesTest, T28_ThoseWhoseCloseNeverEndsStopTheReadingOfTheirUser) {
  ServeFew();
  const uint64_t before = HitsOf("max_received_handles");
  RawPeer peer = AttackerThatIsNotReadAnyMore();
  peer.Write(EchoFrame(100, "text"));
  ExpectThatNobodyReads(peer, 100);
  RawPeer another = Attacker();
  another.Write(EchoFrame(1, "text"));
  ExpectThatNobodyReads(another, 1);
  EXPECT_GT(HitsOf("max_received_handles"), before);
  sockets_.CloseOtherEnds();
  EXPECT_EQ(AnswerTo(peer, 100), Status());
  EXPECT_EQ(AnswerTo(another, 1), Status());
}

TEST_F(ReceivedHandlesTest, T28_ThoseOfOthersAreClosedMeanwhile) {
  ServeFew();
  const RawPeer attacker = AttackerThatIsNotReadAnyMore();
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const OsHandle reader(ends[0]);
  RawPeer other = ConnectAndGreet();
  {
    std::vector<OsHandle> writer;
    writer.emplace_back(ends[1]);
    WriteWith(other, IgnoredFrame(1), writer);
  }
  RunUntil([&] {
    pollfd closed{reader.get(), POLLIN, 0};
    return poll(&closed, 1, 0) == 1 && (closed.revents & POLLHUP) != 0;
  });
}

TEST_F(ReceivedHandlesTest, PeerThatHungUpWhileItsUserIsNotReadIsGone) {
  ServeFew(std::chrono::milliseconds(50));
  RawPeer peer = AttackerThatIsNotReadAnyMore();
  peer.Close();
  RunUntil([&] { return AttackersAreGone(); });
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(
      Says(ends_[0], StatusCode::kUnavailable, {"hung up", "Limits::max_received_handles"}));
}

// With a socket that was not read go the descriptors that it still has. All of these are more than
// may wait.
TEST_F(ReceivedHandlesTest, SocketsThatWereNotReadCountToo) {
  ServeFew();
  const uint64_t before = HitsOf("max_received_handles");
  std::vector<RawPeer> peers;
  for (size_t i = 0; i < kMost; ++i) {
    RawPeer peer = Attacker();
    // Ends the association. The kernel reads no two sets of handles at a time.
    WriteWith(peer, std::string(kHeaderBytes, 'x'), SomeFiles(1));
    SendLingering(peer, 1, 1);
    int turns = 0;
    RunUntil([&] {
      peer.Read();
      return peer.ended() || ++turns > 20;
    });
    peers.push_back(std::move(peer));
  }
  EXPECT_GT(HitsOf("max_received_handles"), before);
  RawPeer next = Attacker();
  next.Write(EchoFrame(1, "text"));
  ExpectThatNobodyReads(next, 1);
}

// Its time begins with it, not when its peer was not read any more.
TEST_F(ReceivedHandlesTest, MessageBehindAWaitHasAllItsTime) {
  constexpr std::chrono::milliseconds kFrameTimeout{1000};
  ServeFew(kFrameTimeout);
  RawPeer peer = AttackerThatIsNotReadAnyMore();
  sockets_.CloseOtherEnds();
  RawPeer another = Attacker();
  ASSERT_EQ(Echo(another, 1), Status()) << "there is room again";
  bool over = false;
  Timer later(loop_.impl(), [&over] { over = true; });
  later.ArmAfter(kFrameTimeout + std::chrono::milliseconds(100));
  RunUntil([&over] { return over; });
  const std::string frame = EchoFrame(101, "text");
  peer.Write(frame.substr(0, frame.size() / 2));
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Echo(*bystander_), Status());
  peer.Write(frame.substr(frame.size() / 2));
  EXPECT_EQ(AnswerTo(peer, 101), Status());
}

// Else a user could hold it as long as it likes, by filling its account again and again.
TEST_F(ReceivedHandlesTest, TimeOfAMessageGoesOnBehindEachWait) {
  constexpr std::chrono::milliseconds kFrameTimeout{400};
  ServeFew(kFrameTimeout);
  RawPeer slow = Attacker();
  const std::string frame = EchoFrame(1, "text");
  slow.Write(frame.substr(0, kHeaderBytes));
  for (size_t at = kHeaderBytes; !slow.ended(); ++at) {
    ASSERT_LT(at, frame.size()) << "the time begins anew behind each wait";
    const RawPeer other = AttackerThatIsNotReadAnyMore();
    slow.Write(frame.substr(at, 1));  // Who sends nothing waits for no room.
    for (int i = 0; i < 3; ++i) ASSERT_EQ(Echo(*bystander_), Status());
    sockets_.CloseOtherEnds();
    bool over = false;
    Timer later(loop_.impl(), [&over] { over = true; });
    later.ArmAfter(kFrameTimeout / 4);
    RunUntil([&] {
      slow.Read();
      return over || slow.ended();
    });
  }
  EXPECT_TRUE(Says(GoodbyeTo(slow), StatusCode::kDeadlineExceeded, {"Limits::frame_timeout"}));
}

// The peer reads no more, so that nothing is written to it either.
TEST_F(ReceivedHandlesTest, PeerThatCannotBeWrittenToAndIsNotReadDoesNotHoldTheLoop) {
  ServeFew();
  RawPeer peer = Attacker();
  peer.Write(CallFrame(1, kKeep));
  RunUntil([&] { return sample_.kept.size() == 1; });
  const RawPeer other = AttackerThatIsNotReadAnyMore();
  ASSERT_EQ(shutdown(peer.end().get(), SHUT_RD), 0);
  sample_.kept[0].Reply();
  sample_.kept.clear();
  peer.Write("x");
  constexpr std::chrono::milliseconds kWait{500};
  EXPECT_LT(CpuTimeOf(loop_, kWait), kWait / 5);
}

// So many of a user's messages bring some and do not come whole.
TEST_F(ReceivedHandlesTest, ThoseOfMessagesThatAreNotWholeAreCounted) {
  ServeFew();
  std::vector<RawPeer> peers;
  size_t sent = 0;
  const std::string begun = CallFrame(1, 999, {}, 16).substr(0, kHeaderBytes + 8);
  for (; sent <= kMost; sent += 16) {
    peers.push_back(Attacker());
    ASSERT_EQ(Echo(peers.back(), 1), Status());
    WriteWith(peers.back(), begun, SomeFiles(16));
  }
  EXPECT_TRUE(
      Says(GoodbyeTo(peers.back()), StatusCode::kResourceExhausted,
           {"is not whole", "more than 40", "Limits::max_received_handles", "later, or fewer"}));
}

}  // namespace
}  // namespace lwmsg::test
