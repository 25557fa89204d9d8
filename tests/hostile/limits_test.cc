#include <atomic>
#include <future>
#include <utility>

#include "runtime/uv_loop.h"
#include "tests/hostile/fixture.h"

// Peers that take too much, too long, or nothing.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HostileLimitsTest : public HostilePeerTest {
 protected:
  // A peer that has asked for more than its socket holds and reads nothing.
  RawPeer ConnectAndReadNothing() {
    RawPeer peer = ConnectAndGreet();
    for (uint32_t id = 1; id <= 4; ++id) peer.Write(BlobFrame(id, 900'000));
    return peer;
  }
  // Without a turn of the server's loop.
  static void BeElsewhereFor(milliseconds time) {
    Loop elsewhere;
    bool over = false;
    Timer end(elsewhere.impl(), [&over] { over = true; });
    end.ArmAfter(time);
    ASSERT_TRUE(RunLoopUntil(elsewhere, [&over] { return over; }));
  }
};

TEST_F(HostileLimitsTest, PeerThatSaysNothingIsToldAboutItsDeadline) {
  Limits limits;
  limits.hello_timeout = milliseconds(50);
  Serve(limits);
  RawPeer peer = Connect();
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kDeadlineExceeded,
                   {"did not say hello", "50 ms", "Limits::hello_timeout"}));
}

// T58.
TEST_F(HostileLimitsTest, PeersThatNeverSpeakAreAllCutAtTheirDeadline) {
  constexpr size_t kPeers = 100;
  Limits limits;
  limits.hello_timeout = milliseconds(50);
  Serve(limits);
  std::vector<RawPeer> peers;
  while (peers.size() < kPeers) peers.push_back(Connect());
  RunUntil([&] { return ends_.size() == kPeers; });
  for (const Status& end : ends_) {
    EXPECT_TRUE(Says(end, StatusCode::kDeadlineExceeded, {"Limits::hello_timeout"}));
  }
}

TEST_F(HostileLimitsTest, PeerThatSaysHalfAHelloIsToldAboutItsDeadline) {
  Limits limits;
  limits.hello_timeout = milliseconds(50);
  Serve(limits);
  RawPeer peer = Connect();
  peer.Write(HelloFrame().substr(0, 30));
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kDeadlineExceeded,
                   {"did not say hello", "50 ms", "Limits::hello_timeout"}));
}

TEST_F(HostileLimitsTest, T68_ThousandsOfBadPeersAreFewLinesAndAllCounted) {
  Serve();
  const auto peers = static_cast<uint64_t>(Times(1000));
  const auto begin = std::chrono::steady_clock::now();
  size_t lines = 0;
  ServerOptions options;
  options.limits.max_frame_bytes = 4096;
  options.log = Log([&](LogLevel, std::string_view) { ++lines; });
  uint64_t ended = 0;
  options.on_end = [&](const Token&, const Status& reason) {
    if (reason.message().find("Limits::max_frame_bytes") != std::string::npos) ++ended;
  };
  Server attacked(loop_, std::move(options));
  const uint64_t hits = HitsOf("max_frame_bytes");
  for (uint64_t i = 0; i < peers; ++i) {
    auto pair = MakePairHere();
    ASSERT_TRUE(pair);
    RawPeer peer{RawStream(std::move(pair->first))};
    peer.Write(HelloFrame() + EchoFrame(1, std::string(5000, 'x')));
    ASSERT_EQ(attacked.Adopt(std::move(pair->second)), Status());
    RunUntil([&] { return attacked.association_count() == 0; });
  }
  EXPECT_EQ(ended, peers);
  EXPECT_EQ(HitsOf("max_frame_bytes"), hits + peers);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  // A line, and the note of how many were left out before it.
  EXPECT_LE(static_cast<double>(lines), 3 * (Log::kBurst + 2 * Log::kPerSecond * taken.count()))
      << "of an end there are " << static_cast<double>(lines) / static_cast<double>(peers);
}

// T04.
TEST_F(HostileLimitsTest, MessageThatComesByteByByteIsCutAtItsDeadline) {
  Limits limits;
  limits.frame_timeout = milliseconds(50);
  Serve(limits);
  RawPeer peer = ConnectAndGreet();
  ASSERT_EQ(Echo(peer, 1), Status());
  std::string frame = EchoFrame(2, "text");
  PutNumber(frame, 4, limits.max_frame_bytes / 8);
  peer.Write(frame);
  RunUntil([&] {
    peer.Write("x");
    peer.Read();
    return peer.ended();
  });
  EXPECT_TRUE(Says(peer.Goodbye(), StatusCode::kDeadlineExceeded,
                   {"bytes came", "50 ms", "Limits::frame_timeout"}));
}

// T04.
TEST_F(HostileLimitsTest, MessagesThatEachComeInTimeMayTakeLongerTogether) {
  Limits limits;
  limits.frame_timeout = milliseconds(50);
  Serve(limits);
  RawPeer peer = ConnectAndGreet();
  const std::string frame = EchoFrame(1, "text");
  const auto end = std::chrono::steady_clock::now() + 4 * limits.frame_timeout;
  peer.Write(frame.substr(0, 30));
  while (std::chrono::steady_clock::now() < end) {
    ASSERT_EQ(Echo(*bystander_), Status());
    // There is always one that has begun.
    ASSERT_TRUE(peer.Write(frame.substr(30) + frame.substr(0, 30)));
    peer.Read();
  }
  peer.Write(frame.substr(30));
  EXPECT_EQ(Echo(peer, 2), Status());
}

// T04.
TEST_F(HostileLimitsTest, PeerIsNotLateWhileThisSideDoesNotRead) {
  Limits limits;
  limits.frame_timeout = milliseconds(20);
  Serve(limits);
  RawPeer peer = ConnectAndReadNothing();
  const std::string frame = EchoFrame(5, "text");
  peer.Write(frame.substr(0, 30));
  const auto end = std::chrono::steady_clock::now() + 10 * limits.frame_timeout;
  RunUntil([&] { return std::chrono::steady_clock::now() > end; });
  EXPECT_TRUE(ends_.empty());
  // As soon as it takes its replies.
  peer.Write(frame.substr(30));
  EXPECT_EQ(AnswerTo(peer, 5), Status());
}

// T04.
TEST_F(HostileLimitsTest, PeerIsNotLateWhereTheLoopIs) {
  Limits limits;
  limits.frame_timeout = milliseconds(20);
  Serve(limits);
  RawPeer peer = ConnectAndGreet();
  const std::string frame = EchoFrame(1, "text");
  peer.Write(frame.substr(0, 30));
  ASSERT_EQ(Echo(*bystander_), Status());
  BeElsewhereFor(5 * limits.frame_timeout);
  peer.Write(frame.substr(30));
  EXPECT_EQ(AnswerTo(peer, 1), Status());
}

// T04. Few bytes that wait for a loop that is late are no sign that it was the loop.
TEST_F(HostileLimitsTest, PeerThatIsLateWithTheLoopIsLate) {
  Limits limits;
  limits.frame_timeout = milliseconds(20);
  Serve(limits);
  RawPeer peer = ConnectAndGreet();
  peer.Write(EchoFrame(1, std::string(1000, 'x')).substr(0, 30));
  ASSERT_EQ(Echo(*bystander_), Status());
  for (int i = 0; i < 5; ++i) {
    peer.Write("x");
    BeElsewhereFor(2 * limits.frame_timeout);
    ASSERT_EQ(Echo(*bystander_), Status());
  }
  EXPECT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kDeadlineExceeded,
                   {"bytes came", "Limits::frame_timeout"}));
}

TEST_F(HostileLimitsTest, PeerThatStopsReadingMayNotPileUpMoreThanTheLimit) {
  Limits limits;
  limits.max_queued_bytes = 1'000'000;
  limits.send_timeout = milliseconds(50);  // Closing waits once more for the peer to read.
  Serve(limits);
  RawPeer peer = ConnectAndReadNothing();
  RunUntil([&] { return !ends_.empty(); });
  EXPECT_TRUE(
      Says(ends_[0], StatusCode::kResourceExhausted, {"1000000", "Limits::max_queued_bytes"}));
}

TEST_F(HostileLimitsTest, PeerThatStopsReadingIsCutAtTheSendTimeout) {
  Limits limits;
  limits.send_timeout = milliseconds(50);
  Serve(limits);
  RawPeer peer = ConnectAndReadNothing();
  RunUntil([&] { return !ends_.empty(); });
  EXPECT_TRUE(Says(ends_[0], StatusCode::kDeadlineExceeded, {"50 ms", "Limits::send_timeout"}));
}

TEST_F(HostileLimitsTest, PeerThatReadNothingIsGoneWhenItGoes) {
  Limits limits;
  limits.send_timeout = std::chrono::hours(1);
  Serve(limits);
  RawPeer peer = ConnectAndReadNothing();
  // So that more than the server takes from one that does not read waits for it.
  RunUntil([&] { return server_->State().associations.back().queued_bytes > 512 << 10; });
  peer.Write(EchoFrame(9, "never read"));
  peer.Close();
  RunUntil([&] { return !ends_.empty(); });
}

TEST_F(HostileLimitsTest, OthersAreServedWhileAPeerDoesNotRead) {
  Serve();
  RawPeer peer = ConnectAndReadNothing();
  for (int i = 0; i < 20; ++i) ASSERT_EQ(Echo(*bystander_), Status());
  EXPECT_TRUE(ends_.empty());
}

// Handlers that block until they are let go, on all threads of the server.
class BusyThreadsTest : public HostilePeerTest {
 protected:
  BusyThreadsTest() {
    sample_.on_block = [this](sample::SampleService::BlockCall call) {
      ++ran_;
      go_.future().wait();
      call.Reply();
    };
  }
  ~BusyThreadsTest() override { go_.Go(); }

  // A gate that many may wait at.
  class Gate {
   public:
    std::shared_future<void> future() const { return future_; }
    void Go() {
      if (!std::exchange(gone_, true)) promise_.set_value();
    }

   private:
    std::promise<void> promise_;
    std::shared_future<void> future_ = promise_.get_future().share();
    bool gone_ = false;
  };

  // Calls 1 to 4 of `peer` take all of them.
  void TakeAllThreads(RawPeer& peer) {
    for (uint32_t id = 1; id <= 4; ++id) peer.Write(CallFrame(id, kBlock));
    RunUntil([&] { return ran_ == 4; });
  }

  Gate go_;
  std::atomic<int> ran_ = 0;
};

TEST_F(BusyThreadsTest, WaitingCallsOfAPeerThatHasGoneAreLetGoOfAndNeverRun) {
  Serve();
  RawPeer slow = ConnectAndGreet();
  TakeAllThreads(slow);
  for (int round = 1; round <= 8; ++round) {
    RawPeer peer = ConnectAndGreet();
    for (uint32_t id = 1; id <= 100; ++id) peer.Write(CallFrame(id, kBlock));
    peer.Close();
    RunUntil([&] { return ends_.size() == static_cast<size_t>(round); });
  }
  go_.Go();
  EXPECT_EQ(AnswerTo(slow, 4), Status());
  slow.Write(CallFrame(5, kBlock));
  EXPECT_EQ(AnswerTo(slow, 5), Status());
  EXPECT_EQ(ran_, 5);
}

TEST_F(BusyThreadsTest, CallsBeyondThoseThatMayWaitAreRefused) {
  Serve();
  RawPeer slow = ConnectAndGreet();
  TakeAllThreads(slow);
  std::vector<RawPeer> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(ConnectAndGreet());
    for (uint32_t id = 1; id <= 128; ++id) peers.back().Write(CallFrame(id, kBlock));
    RunUntil([&] { return server_->State().associations.back().incoming.size() == 128; });
  }
  RawPeer last = ConnectAndGreet();
  last.Write(CallFrame(1, kBlock));
  EXPECT_TRUE(Says(AnswerTo(last, 1), StatusCode::kResourceExhausted,
                   {"Sample.block", "ServerOptions::threads"}));
  go_.Go();
  for (RawPeer& peer : peers) EXPECT_EQ(AnswerTo(peer, 128), Status());
}

TEST_F(HostileLimitsTest, CallsBeyondTheLimitAreRefusedOneByOne) {
  Limits limits;
  limits.max_calls = 3;
  Serve(limits);
  RawPeer peer = ConnectAndGreet();
  for (uint32_t id = 1; id <= 5; ++id) peer.Write(CallFrame(id, kKeep));
  for (const uint32_t id : {4U, 5U}) {
    EXPECT_TRUE(Says(AnswerTo(peer, id), StatusCode::kResourceExhausted,
                     {"more than 3 calls", "Limits::max_calls"}));
  }
  ASSERT_EQ(sample_.kept.size(), 3U);
  sample_.kept[0].Reply();
  EXPECT_EQ(AnswerTo(peer, 1), Status());
  EXPECT_EQ(Echo(peer, 6), Status());
}

// T61.
TEST_F(HostileLimitsTest, OneWayCallsBeyondTheLimitAreDroppedAndOthersAreServed) {
  constexpr size_t kFlood = 20'000;
  Limits limits;
  limits.max_oneway_calls = 5;
  Serve(limits);
  sample_.kept_logs.emplace();
  RawPeer peer = ConnectAndGreet();
  const std::string log = CallFrame(0, kLog, [](auto params) {
    params.template initAs<sample::Sample::LogParams>().setText("flood");
  });
  std::string logs;
  for (size_t i = 0; i < 100; ++i) logs += log;
  for (size_t i = 0; i < kFlood; i += 100) {
    ASSERT_TRUE(peer.Write(logs));
    ASSERT_EQ(Echo(*bystander_), Status());
  }
  EXPECT_EQ(Echo(peer, 1), Status());
  EXPECT_EQ(sample_.logged.size(), 5U);
  // Once the handlers have let go of them more may come.
  sample_.kept_logs->clear();
  peer.Write(log);
  EXPECT_EQ(Echo(peer, 2), Status());
  EXPECT_EQ(sample_.logged.size(), 6U);
  sample_.kept_logs->clear();
}

TEST_F(HostileLimitsTest, SilentPeersInAllPlacesDoNotKeepOthersOut) {
  Limits limits;
  limits.max_associations = 3;
  limits.idle_timeout = std::chrono::milliseconds(20);
  Serve(limits);
  bool answered = false;
  sample::SampleClient(*bystander_).Keep().Send([&](auto reply) { answered = bool(reply); });
  RunUntil([&] { return sample_.kept.size() == 1; });
  std::vector<RawPeer> silent;
  for (int i = 0; i < 10; ++i) {
    silent.push_back(i % 2 == 0 ? ConnectAndGreet() : Connect());
    RawPeer peer = ConnectAndGreet();
    ASSERT_EQ(Echo(peer, 1), Status());
  }
  for (RawPeer& peer : silent) peer.Close();
  sample_.kept[0].Reply();
  RunUntil([&] { return answered; });  // Not evicted, as its call was in hand.
}

TEST_F(HostileLimitsTest, ReplyTooLargeForTheCallerIsAnErrorOfItsCall) {
  Serve();
  RawPeer peer = ConnectAndGreet({.max_frame_bytes = 1024});
  peer.Write(BlobFrame(1, 4096));
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kResourceExhausted,
                   {"Sample.blob", "the peer takes 1024", "its Limits::max_frame_bytes"}));
  EXPECT_EQ(Echo(peer, 2), Status());
}

TEST_F(HostileLimitsTest, CallerThatTakesNoHandlesIsGivenNone) {
  Serve();
  RawPeer peer = ConnectAndGreet({.max_frame_handles = 0});
  peer.Write(CallFrame(1, 1, [](auto params) {
    params.template initAs<sample::Sample::OpenParams>().setPath(NullPath());
  }));
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kResourceExhausted,
                   {"Sample.open", "1 OS handles", "its Limits::max_frame_handles"}));
  EXPECT_EQ(Echo(peer, 2), Status());
}

TEST_F(HostileLimitsTest, RequestTooLargeForTheServerIsNotSent) {
  Limits limits;
  limits.max_frame_bytes = 4096;
  Serve(limits);
  Client client(loop_, folder_.Endpoint());
  ASSERT_EQ(Echo(client), Status());  // The server's hello has come.
  auto echo = sample::SampleClient(client).Echo();
  echo->setText(std::string(8000, 'x'));
  std::optional<Status> status;
  echo.Send([&](auto reply) { status = reply ? Status() : reply.error(); });
  RunUntil([&] { return status.has_value(); });
  EXPECT_TRUE(Says(status, StatusCode::kResourceExhausted,
                   {"Sample.echo", "the peer takes 4096", "its Limits::max_frame_bytes"}));
  EXPECT_EQ(Echo(client), Status());
}

TEST_F(HostileLimitsTest, RequestTooLargeForAServerThatHasNotSaidSoEndsTheAssociation) {
  Limits limits;
  limits.max_frame_bytes = 4096;
  Serve(limits);
  Client client(loop_, folder_.Endpoint());
  auto echo = sample::SampleClient(client).Echo();
  echo->setText(std::string(8000, 'x'));
  std::optional<Status> status;
  echo.Send([&](auto reply) { status = reply ? Status() : reply.error(); });
  RunUntil([&] { return status.has_value(); });
  EXPECT_TRUE(
      Says(status, StatusCode::kMalformed,
           {"the peer ended the association", "the limit is 4096", "Limits::max_frame_bytes"}));
}

TEST_F(HostileLimitsTest, FloodOfConnectionsThatEndAtOnceLeavesNothing) {
  Serve();
  for (size_t batch = 1; batch <= 10; ++batch) {
    for (int i = 0; i < 50; ++i) static_cast<void>(Connect());
    RunUntil([&] { return ends_.size() == 50 * batch; });
    ASSERT_EQ(Echo(*bystander_), Status());
  }
}

}  // namespace
}  // namespace lwmsg::test
