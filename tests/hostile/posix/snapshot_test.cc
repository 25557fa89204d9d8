#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>

#include "tests/hostile/fixture.h"

// A peer that changes a message behind its back (T73): the bytes on their way are pages of its own
// (vmsplice(2), splice(2)), which it goes on writing to.
namespace lwmsg::test {
namespace {

class SnapshotTest : public HostilePeerTest {};

// Memory whose pages are given to the kernel, as they are.
class Pages {
 public:
  explicit Pages(size_t size) : size_(size) {
    memory_ = static_cast<char*>(
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(memory_, MAP_FAILED);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() { munmap(memory_, size_); }

  char* get() { return memory_; }
  // False if the system does not splice into such a socket.
  bool SendTo(const RawPeer& peer, size_t size) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    const OsHandle read(ends[0]);
    const OsHandle write(ends[1]);
    const iovec piece = {memory_, size};
    if (vmsplice(write.get(), &piece, 1, 0) != static_cast<ssize_t>(size)) return false;
    return splice(read.get(), nullptr, peer.end().get(), nullptr, size, 0) ==
           static_cast<ssize_t>(size);
  }

 private:
  char* memory_ = nullptr;
  size_t size_;
};

TEST_F(SnapshotTest, T73_TheHandlerSeesWhatWasCheckedHoweverTheSenderChangesItsPages) {
  constexpr size_t kText = 30'000;
  Serve();
  RawPeer peer = ConnectAndGreet();
  const std::string frame = CallFrame(1, kKeep, [](auto params) {
    params.template initAs<sample::Sample::KeepParams>().setText(std::string(kText, 'a'));
  });
  Pages pages(64 << 10);
  std::memcpy(pages.get(), frame.data(), frame.size());
  // In the text alone: what breaks the framing is for other tests.
  const size_t at = frame.find("aaaa") + 8;
  std::atomic<bool> ends = false;
  std::thread flips([&] {
    for (char c = 'a'; !ends; c = c == 'a' ? 'b' : 'a') std::memset(pages.get() + at, c, kText / 2);
  });
  const bool sent = pages.SendTo(peer, frame.size());
  if (sent) RunUntil([&] { return !sample_.kept.empty(); });
  if (!sample_.kept.empty()) {
    const std::string first = sample_.kept[0]->getText();
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(sample_.kept[0]->getText() == first) << "look " << i;
  }
  ends = true;
  flips.join();
  if (!sent) GTEST_SKIP() << "this system does not splice pages into Unix sockets";
  sample_.kept[0].Reply();
  EXPECT_EQ(AnswerTo(peer, 1), Status());
}

}  // namespace
}  // namespace lwmsg::test
