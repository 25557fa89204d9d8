#include <sys/ioctl.h>
#include <sys/socket.h>
#include <uv.h>

#include <atomic>
#include <csignal>

#include "tests/hostile/fixture.h"

// What only sockets can: bytes out of band, and one direction that ends.
namespace lwmsg::test {
namespace {

class HalfOpenTest : public HostilePeerTest {};

// The byte is not among those that are read: the frame is one short.
TEST_F(HalfOpenTest, T15_ByteOutOfBandEndsTheAssociation) {
  Serve();
  const std::string frame = EchoFrame(1, "some text");
  for (size_t at = 0; at < frame.size(); ++at) {
    SCOPED_TRACE(at);
    RawPeer peer = ConnectAndGreet();
    peer.Write(frame.substr(0, at));
    if (send(peer.end().get(), &frame[at], 1, MSG_OOB | MSG_NOSIGNAL) != 1) {
      GTEST_SKIP() << "this kernel has no bytes out of band on Unix sockets (CONFIG_AF_UNIX_OOB)";
    }
    peer.Write(frame.substr(at + 1) + EchoFrame(2, "more text") + EchoFrame(3, "more text"));
    EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {}));
    EXPECT_FALSE(peer.ReplyTo(2) || peer.ReplyTo(3));
  }
}

std::atomic<int> signals_of_pipes = 0;

// Of both sides: a reply to a client that is gone, and a call to a server that is.
TEST_F(HalfOpenTest, T16_WritingToAPeerThatIsGoneRaisesNoSignal) {
  const auto before = signal(SIGPIPE, [](int) { ++signals_of_pipes; });
  Serve();
  {
    RawPeer peer = ConnectAndGreet();
    ASSERT_EQ(Echo(peer, 1), Status());
    peer.Write(CallFrame(2, kKeep));
    RunUntil([&] { return sample_.kept.size() == 1; });
  }
  sample_.kept.clear();  // Is answered.
  auto pair = MakePairHere();
  ASSERT_TRUE(pair);
  Client client(loop_, std::move(pair->second));
  pair->first.Close();
  EXPECT_EQ(Echo(client).code(), StatusCode::kUnavailable);
  RunUntil([&] { return AttackersAreGone(); });
  EXPECT_EQ(signals_of_pipes, 0);
  signal(SIGPIPE, before);
}

// What it did not read resets the connection: an error, which waits behind what it wrote.
TEST_F(HalfOpenTest, PeerThatClosesWithoutReadingIsGoneAtOnce) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  RunUntil([&] { return server_->State().associations.back().session_id != 0; });
  peer.Write(EchoFrame(1, "text"));
  peer.Close();
  RunUntil([&] { return !ends_.empty(); });
  EXPECT_EQ(ends_.size(), 1U);
}

// What was written before comes before the reset.
TEST_F(HalfOpenTest, T69_ReplyIsDeliveredThoughTheServerDidNotReadAllBeforeItClosed) {
  Serve();
  auto pair = MakePairHere();
  ASSERT_TRUE(pair);
  RawPeer closing{RawStream(std::move(pair->first))};
  Client client(loop_, std::move(pair->second));
  sample::SampleClient sample(client);
  std::optional<Status> first;
  std::optional<Status> second;
  sample.Nothing().Send([&](auto reply) { first = reply ? Status() : reply.error(); });
  sample.Nothing().Send([&](auto reply) { second = reply ? Status() : reply.error(); });
  uv_run(loop_.uv(), UV_RUN_NOWAIT);
  int unread = 0;
  ASSERT_EQ(ioctl(closing.end().get(), FIONREAD, &unread), 0);
  ASSERT_GT(unread, 0);
  closing.Write(HelloFrame() + ReplyFrame(kFirstCallId, [](auto results) {
                  results.template initAs<sample::Sample::NothingResults>();
                }));
  closing.Close();
  RunUntil([&] { return first && second; });
  EXPECT_EQ(first, Status());
  EXPECT_TRUE(Says(second, StatusCode::kUnavailable, {}));
}

TEST_F(HalfOpenTest, T69_ReplyIsQueuedWhenTheServerStopsWithSomethingUnread) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(CallFrame(1, kKeep));
  RunUntil([&] { return !sample_.kept.empty(); });
  peer.Write(EchoFrame(2, "never read"));
  sample_.kept[0].Reply();
  sample_.kept.clear();
  server_->Stop();
  EXPECT_EQ(AnswerTo(peer, 1), Status());
  EXPECT_TRUE(GoodbyeTo(peer));
  server_.reset();
}

TEST_F(HalfOpenTest, T70_PeerThatWritesNoMoreIsGone) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(EchoFrame(1, "text") + CallFrame(2, kKeep));
  ASSERT_EQ(shutdown(peer.end().get(), SHUT_WR), 0);
  EXPECT_EQ(AnswerTo(peer, 1), Status());
  RunUntil([&] { return !ends_.empty(); });
  EXPECT_TRUE(Says(ends_[0], StatusCode::kUnavailable, {"closed the connection"}));
  ASSERT_EQ(sample_.kept.size(), 1U);
  EXPECT_TRUE(sample_.kept.front().cancelled());
  sample_.kept.clear();
}

// Its end, which is read for when nothing can be written to it, may never come.
TEST_F(HalfOpenTest, PeerThatReadsNoMoreIsCutAtTheSendTimeout) {
  Limits limits;
  limits.send_timeout = std::chrono::milliseconds(50);
  Serve(limits);
  RawPeer peer = ConnectAndGreet();
  ASSERT_EQ(shutdown(peer.end().get(), SHUT_RD), 0);
  peer.Write(EchoFrame(1, "text"));
  RunUntil([&] { return !ends_.empty(); });
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(Says(ends_[0], StatusCode::kDeadlineExceeded, {"50 ms", "Limits::send_timeout"}));
}

}  // namespace
}  // namespace lwmsg::test
