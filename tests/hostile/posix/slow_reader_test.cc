#include <sys/socket.h>

#include <algorithm>
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
  for (uint32_t id = 1; id <= 8; ++id) peer.Write(BlobFrame(id, 900'000));
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
  const auto call = [](uint32_t id) { return BlobFrame(id, 10'000); };
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

// Whoever is read to the end keeps nothing any more.
TEST_F(SlowReaderTest, IsGoneWhenItGoesThoughThereIsNoRoomForItsLastWords) {
  const std::string large = EchoFrame(9, std::string(100'000, 'x'));
  Limits limits;
  limits.max_received_bytes = large.size();
  limits.send_timeout = std::chrono::hours(1);
  Serve(limits);
  RawPeer holder = ConnectAndGreet();
  holder.Write(large.substr(0, 70'000));  // Takes all there is.
  ASSERT_EQ(Echo(*bystander_), Status());
  RawPeer peer = ConnectAndGreet();
  peer.Write(BlobFrame(1, 900'000));
  RunUntil([&] { return server_->State().associations.back().queued_bytes > 512 << 10; });
  peer.Write(large.substr(0, 70'000));
  peer.Close();
  RunUntil([&] { return !ends_.empty(); });
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(Says(ends_[0], StatusCode::kUnavailable, {}));
}

// Nor is there room for its message, nor do the handlers that take it give it back before its end.
TEST_F(SlowReaderTest, IsGoneWhenItDiesWhileItsMessageWaitsForRoom) {
  constexpr size_t kText = 100'000;
  const auto keep = [](uint32_t id) {
    return CallFrame(id, kKeep, [](auto params) {
      params.template initAs<sample::Sample::KeepParams>().setText(std::string(kText, 'x'));
    });
  };
  Limits limits;
  limits.max_received_bytes = 2 * kText;
  limits.frame_timeout = milliseconds(50);
  Serve(limits);
  RawPeer peer = ConnectAndGreet();
  peer.Write(keep(1));
  RunUntil([&] { return sample_.kept.size() == 1; });
  peer.Write(keep(2).substr(0, 70'000));
  ASSERT_EQ(Echo(*bystander_), Status());
  peer.Close();
  RunUntil([&] { return sample_.kept[0].cancelled(); });
  sample_.kept.clear();
  RunUntil([&] { return !ends_.empty(); });
  EXPECT_TRUE(Says(ends_[0], StatusCode::kUnavailable, {"hung up", "Limits::max_received_bytes"}));
}

// What lies in sockets is the kernel's memory, which no limit of lwmsg's bounds.
class SendBufferTest : public SlowReaderTest {
 protected:
  static constexpr size_t kMost = 16;

  void SetUp() override {
    OsHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    usual_ = BufferOf(socket.get());
    LimitBuffer(socket, 512 << 10);
    if (BufferOf(socket.get()) <= usual_) GTEST_SKIP() << "net.core.wmem_max allows no more";
    socket.Close();
    inherited_ = LargeOnes();
    Serve();
  }
  static int BufferOf(int socket) {
    int bytes = 0;
    socklen_t size = sizeof(bytes);
    return getsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, &size) == 0 ? bytes : 0;
  }
  // How many sockets of lwmsg's may hold more than a new one.
  size_t LargeOnes() const {
    const auto all = OpenDescriptors();
    const auto large = std::count_if(
        all.begin(), all.end(), [this](const auto& one) { return BufferOf(one.first) > usual_; });
    return static_cast<size_t>(large) - inherited_;
  }
  // So many connections, whose peers read what they asked for in several parts.
  std::vector<RawPeer> ReadMuchOn(size_t connections) {
    std::vector<RawPeer> peers;
    while (peers.size() < connections) {
      peers.push_back(ConnectAndGreet());
      peers.back().Write(BlobFrame(1, 700'000));
    }
    for (RawPeer& peer : peers) EXPECT_EQ(AnswerTo(peer, 1), Status());
    return peers;
  }

 private:
  int usual_ = 0;
  size_t inherited_ = 0;  // Of those.
};

TEST_F(SendBufferTest, StaysSmallForAPeerThatTakesNothing) {
  RawPeer peer = ConnectAndGreet();
  peer.Write(BlobFrame(1, 900'000) + BlobFrame(2, 900'000));
  RunUntil([&] { return server_->State().associations.back().queued_bytes > 512 << 10; });
  EXPECT_EQ(LargeOnes(), 0U);
}

TEST_F(SendBufferTest, GrowsForAPeerThatReads) {
  const auto peers = ReadMuchOn(1);
  EXPECT_EQ(LargeOnes(), 1U);
}

TEST_F(SendBufferTest, GrowsForFewAtATime) {
  {
    const auto peers = ReadMuchOn(kMost + 4);
    EXPECT_EQ(LargeOnes(), kMost);
  }
  RunUntil([this] { return AttackersAreGone(); });
  EXPECT_EQ(LargeOnes(), 0U);
  const auto others = ReadMuchOn(kMost + 1);
  EXPECT_EQ(LargeOnes(), kMost);
}

}  // namespace
}  // namespace lwmsg::test
