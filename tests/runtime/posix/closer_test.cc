#include "runtime/closer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "lwmsg/internal/handle_account.h"
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
  // Whether the other end of this pipe is closed in a while.
  static bool HangsUp(const OsHandle& reader) {
    pollfd closed{reader.get(), POLLIN, 0};
    return poll(&closed, 1, 60'000) == 1 && (closed.revents & POLLHUP) != 0;
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
  for (int i = 0; i < 8; ++i) handles.push_back(sockets.New());
  handles.emplace_back(ends[1]);
  for (const OsHandle& handle : handles) ASSERT_TRUE(handle.valid());
  CloseLater(std::move(handles));
  EXPECT_TRUE(HangsUp(reader));
  sockets.CloseOtherEnds();
}

TEST_F(CloserTest, ThoseOfOneAccountThatWaitHoldUpNoOther) {
  constexpr size_t kSlow = 40;
  LingeringSockets sockets(std::chrono::minutes(5));
  const auto slow = std::make_shared<internal::HandleAccount>(0, 1000, [] {});
  std::vector<OsHandle> handles;
  for (size_t i = 0; i < kSlow; ++i) handles.push_back(sockets.New());
  for (const OsHandle& handle : handles) ASSERT_TRUE(handle.valid());
  std::vector<int> numbers;
  for (const OsHandle& handle : handles) numbers.push_back(handle.get());
  slow->Hold(kSlow);
  internal::CloseLater(std::move(handles), slow);
  const auto quick = std::make_shared<internal::HandleAccount>(0, 1000, [] {});
  for (int round = 0; round < 100; ++round) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    const OsHandle reader(ends[0]);
    std::vector<OsHandle> writer;
    writer.emplace_back(ends[1]);
    const bool counted = round % 2 == 0;
    if (counted) quick->Hold(1);
    internal::CloseLater(std::move(writer), counted ? quick : nullptr);
    ASSERT_TRUE(HangsUp(reader));
  }
  // What a thread waits for has no number any more; one may be about to.
  size_t left = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  do {
    left = static_cast<size_t>(std::ranges::count_if(numbers, IsOpen));
  } while (left > kSlow - 4 && std::chrono::steady_clock::now() < end);
  EXPECT_EQ(left, kSlow - 4);
  EXPECT_FALSE(slow->empty());
  sockets.CloseOtherEnds();
  internal::FinishClosing();
  EXPECT_TRUE(slow->empty() && quick->empty());
}

TEST_F(CloserTest, AccountHasRoomAgainWhenItsHandlesAreClosed) {
  const auto room = std::make_shared<std::promise<void>>();
  const auto account =
      std::make_shared<internal::HandleAccount>(0, 5, [room] { room->set_value(); });
  LingeringSockets sockets(std::chrono::minutes(5));
  std::vector<OsHandle> handles;
  for (int i = 0; i < 5; ++i) handles.push_back(sockets.New());
  for (const OsHandle& handle : handles) ASSERT_TRUE(handle.valid());
  account->Hold(handles.size());
  EXPECT_FALSE(account->full()) << "that messages hold as many";
  internal::CloseLater(std::move(handles), account);
  account->WaitForRoom();
  EXPECT_TRUE(account->full());
  sockets.CloseOtherEnds();
  EXPECT_EQ(room->get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_FALSE(account->full());
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
