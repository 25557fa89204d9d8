#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/hostile/fixture.h"
#include "tests/hostile/posix/raw_descriptors.h"
#include "tests/support/posix/rights.h"

// Descriptors that wait in sockets: of replies that nobody read yet, and of sockets that lead to
// themselves.
namespace lwmsg::test {
namespace {

class WaitingDescriptorsTest : public HostilePeerTest {};

// Reads what is there, and owns the descriptors that come with it.
class OwningReader {
 public:
  explicit OwningReader(const OsHandle& socket) : socket_(socket) {}

  // At most `most` bytes. False if there is nothing now.
  bool Read(size_t most) {
    std::array<char, 4096> bytes;
    const auto wanted = std::span(bytes).first(std::min(most, bytes.size()));
    const ssize_t size = ReceiveRights(socket_, wanted, handles_, MSG_DONTWAIT);
    if (size <= 0) return false;
    bytes_.append(bytes.data(), static_cast<size_t>(size));
    TakeFrames();
    return true;
  }
  size_t handles() const { return handles_.size(); }
  // As the frames say that were whole.
  size_t counted() const { return counted_; }
  const std::set<uint32_t>& answered() const { return answered_; }

 private:
  void TakeFrames() {
    while (bytes_.size() >= kHeaderBytes) {
      uint32_t words = 0;
      uint16_t handles = 0;
      std::memcpy(&words, bytes_.data() + 4, sizeof(words));
      std::memcpy(&handles, bytes_.data() + 8, sizeof(handles));
      const size_t body = size_t{8} * words;
      if (bytes_.size() < kHeaderBytes + body) return;
      const RawFrame frame(std::string_view(bytes_).substr(kHeaderBytes, body));
      if (frame.envelope().isReply()) answered_.insert(frame.envelope().getReply().getId());
      counted_ += handles;
      bytes_.erase(0, kHeaderBytes + body);
    }
  }

  const OsHandle& socket_;
  std::string bytes_;
  std::vector<OsHandle> handles_;
  size_t counted_ = 0;
  std::set<uint32_t> answered_;
};

std::string OpenFrame(uint32_t id) {
  return CallFrame(id, 1, [](auto params) {
    params.template initAs<sample::Sample::OpenParams>().setPath("/dev/null");
  });
}

// The kernel takes nothing more, and then a part: each frame's descriptors still go with its first.
TEST_F(WaitingDescriptorsTest, T24_OfRepliesThatHadToWaitArriveExactlyOnce) {
  constexpr uint32_t kOpens = 40;
  Serve();
  for (const size_t most : {size_t{100}, size_t{1000}, size_t{4096}}) {
    SCOPED_TRACE(most);
    RawPeer peer = ConnectAndGreet();
    // Between them, what fills the socket.
    for (uint32_t id = 1; id <= 2 * kOpens; id += 2) {
      peer.Write(BlobFrame(id, 10'007));
      peer.Write(OpenFrame(id + 1));
    }
    RunUntil([&] { return server_->State().associations.back().queued_bytes > 10'000; });
    OwningReader reader(peer.end());
    RunUntil([&] {
      while (reader.Read(most)) {
      }
      return reader.answered().size() == 2 * kOpens;
    });
    EXPECT_EQ(reader.counted(), kOpens);
    EXPECT_EQ(reader.handles(), kOpens);
  }
}

// The sockets of this machine that are connections of that server, or have one of these numbers.
size_t SocketsInKernel(const std::string& path, const std::set<uint64_t>& inodes) {
  std::ifstream table("/proc/net/unix");
  size_t count = 0;
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string skipped;
    uint64_t inode = 0;
    for (int i = 0; i < 6; ++i) words >> skipped;
    words >> inode;
    if (line.find(path) != std::string::npos || inodes.count(inode) != 0) ++count;
  }
  return count;
}

uint64_t InodeOf(const OsHandle& socket) {
  struct stat status{};
  fstat(socket.get(), &status);
  return status.st_ino;
}

class CircleTest : public WaitingDescriptorsTest {
 protected:
  void ServeAndCount() {
    Serve();
    before_ = SocketsInKernel(folder_.path(), {});
  }
  RawPeer Greeted() {
    RawPeer peer = ConnectAndGreet();
    inodes_.insert(InodeOf(peer.end()));
    EXPECT_EQ(Echo(peer, 1), Status());
    return peer;
  }
  // The kernel looks for circles when a Unix socket is closed.
  void ExpectNoneIsLeft() {
    RunUntil([&] {
      static_cast<void>(MakePair());
      return AttackersAreGone() && SocketsInKernel(folder_.path(), inodes_) == before_;
    });
  }
  static std::vector<OsHandle> EndOf(const RawPeer& peer) {
    std::vector<OsHandle> ends;
    ends.push_back(*peer.end().Duplicate());
    return ends;
  }

  size_t before_ = 0;
  std::set<uint64_t> inodes_;
};

TEST_F(CircleTest, T29_ASocketOverItselfGoesWithItsConnection) {
  ServeAndCount();
  {
    RawPeer read = Greeted();
    WriteWith(read, CallFrame(9, 999, {}, 1), EndOf(read));
    EXPECT_TRUE(Says(AnswerTo(read, 9), StatusCode::kUnimplemented, {"999"}));
    RawPeer unread = Greeted();
    unread.Write("no frame");
    WriteWith(unread, "what is never read", EndOf(unread));
  }
  ExpectNoneIsLeft();
}

TEST_F(CircleTest, T29_SocketsOverEachOtherGoWithTheirConnections) {
  ServeAndCount();
  {
    RawPeer one = Greeted();
    RawPeer other = Greeted();
    one.Write("no frame");
    other.Write("no frame");
    for (int i = 0; i < 10; ++i) {
      WriteWith(one, "what is never read", EndOf(other));
      WriteWith(other, "what is never read", EndOf(one));
    }
  }
  ExpectNoneIsLeft();
}

TEST_F(CircleTest, T29_SocketsInSocketsInSocketsGo) {
  constexpr int kDepth = 40;
  ServeAndCount();
  {
    std::vector<OsHandle> inner = SomeFiles(1);
    for (int depth = 0; depth < kDepth; ++depth) {
      auto pair = MakePair();
      ASSERT_TRUE(pair);
      inodes_.insert({InodeOf(pair->first), InodeOf(pair->second)});
      const RawPeer outer{RawStream(std::move(pair->first))};
      WriteWith(outer, "x", inner);
      inner.clear();
      inner.push_back(std::move(pair->second));
    }
    RawPeer peer = Greeted();
    WriteWith(peer, CallFrame(9, 999, {}, 1), inner);
    inner.clear();
    EXPECT_TRUE(Says(AnswerTo(peer, 9), StatusCode::kUnimplemented, {"999"}));
  }
  ExpectNoneIsLeft();
}

}  // namespace
}  // namespace lwmsg::test
