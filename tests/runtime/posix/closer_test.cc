#include "runtime/closer.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/inventory.h"
#include "tests/support/posix/lingering_sockets.h"

// The threads that close what peers sent.
namespace lwmsg::test {
namespace {

class CloserTest : public InventoriedTest {};

TEST_F(CloserTest, ClosesWhatManyThreadsGiveAtOnce) {
  const OsHandle any(dup(0));
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

}  // namespace
}  // namespace lwmsg::test
