#include "runtime/closer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/inventory.h"
#include "tests/support/posix/lingering_sockets.h"

// ThreadSanitizer ends a child of several threads that starts one more.
#if defined(__SANITIZE_THREAD__)
#define LWMSG_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LWMSG_THREAD_SANITIZER 1
#endif
#endif

// The threads that close what peers sent.
namespace lwmsg::test {
namespace {

class CloserTest : public InventoriedTest {
 protected:
  // Whether all that it was given is closed then; it may wait for that forever.
  static bool ClosesOne() {
    std::vector<OsHandle> handles;
    handles.push_back(OpenNull());
    const int number = handles[0].get();
    CloseLater(std::move(handles));
    internal::FinishClosing();
    return !IsOpen(number);
  }
};

TEST_F(CloserTest, ClosesWhatManyThreadsGiveAtOnce) {
  const OsHandle any = OpenNull();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&any] {
      for (int batch = 0; batch < 200; ++batch) {
        std::vector<OsHandle> handles(batch % 4);
        for (OsHandle& handle : handles) handle = *any.Duplicate();
        CloseLater(std::move(handles));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(CloserTest, SomeThatWaitForTheirPeersHoldUpNoOther) {
  LingeringSockets sockets(std::chrono::minutes(5));
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const OsHandle reader(ends[0]);
  std::vector<OsHandle> handles;
  handles.emplace_back(ends[1]);
  for (int i = 0; i < 8; ++i) handles.push_back(sockets.New());
  for (const OsHandle& handle : handles) ASSERT_TRUE(handle.valid());
  CloseLater(std::move(handles));
  pollfd closed{reader.get(), POLLIN, 0};
  EXPECT_EQ(poll(&closed, 1, 60'000), 1);
  EXPECT_TRUE((closed.revents & POLLHUP) != 0);
  sockets.CloseOtherEnds();
}

TEST_F(CloserTest, ThreadsOfTheParentAreNotWaitedForInAForkedChild) {
#ifdef LWMSG_THREAD_SANITIZER
  GTEST_SKIP() << "ThreadSanitizer lets no such child start threads";
#endif
  // Its thread now waits for more, and is not in the child.
  ASSERT_TRUE(ClosesOne());
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(ClosesOne() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(ClosesOne());
}

}  // namespace
}  // namespace lwmsg::test
