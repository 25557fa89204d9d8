#include "lwmsg/loop.h"

#include <gtest/gtest.h>
#include <uv.h>

#include <thread>

#include "runtime/uv_loop.h"
#include "tests/support/inventory.h"

namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;

class LoopTest : public InventoriedTest {};

TEST_F(LoopTest, RunsWhatWasPostedAndReturnsWhenNothingIsLeft) {
  Loop loop;
  std::vector<int> order;
  loop.Post([&] {
    order.push_back(1);
    loop.Post([&] { order.push_back(3); });
    order.push_back(2);
  });
  loop.Run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

// A post that is lost leaves the loop running for ever.
TEST_F(LoopTest, PostOfItsMakerArrivesWhileAnotherThreadBeginsToRunIt) {
  for (int round = 0; round < 2000; ++round) {
    Loop loop;
    loop.impl().Hold();
    std::thread runner([&loop] { loop.Run(); });
    // At another moment of the thread's start each time.
    const auto when = std::chrono::steady_clock::now() + round % 100 * std::chrono::microseconds(1);
    while (std::chrono::steady_clock::now() < when) continue;
    loop.Post([&loop] { loop.impl().Unhold(); });
    runner.join();
  }
}

TEST_F(LoopTest, PostsOfOtherThreadsAllArriveInTheirOrder) {
  Loop loop;
  constexpr int kThreads = 4;
  constexpr int kPosts = 2000;
  std::vector<std::vector<int>> seen(kThreads);
  int total = 0;
  // Keeps the loop running until all have come.
  Timer keep_alive(loop.impl(), [] {});
  keep_alive.ArmAfter(milliseconds(60'000));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop.Post([&, t, i] {
          seen[t].push_back(i);
          if (++total == kThreads * kPosts) keep_alive.Disarm();
        });
      }
    });
  }
  loop.Run();
  for (std::thread& thread : threads) thread.join();
  for (const auto& order : seen) {
    ASSERT_EQ(order.size(), size_t{kPosts});
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  }
}

TEST_F(LoopTest, StopFromAnotherThreadEndsRun) {
  Loop loop;
  Timer forever(loop.impl(), [] {});
  forever.ArmAfter(std::chrono::hours(1));
  std::thread stopper([&] { loop.Stop(); });
  loop.Run();
  stopper.join();
}

TEST_F(LoopTest, TimersRunInTheirOrder) {
  Loop loop;
  std::vector<int> order;
  Timer late(loop.impl(), [&] { order.push_back(2); });
  Timer soon(loop.impl(), [&] { order.push_back(1); });
  late.ArmAfter(milliseconds(8));
  soon.ArmAfter(milliseconds(4));
  loop.Run();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST_F(LoopTest, LivesInABorrowedLoop) {
  uv_loop_t uv;
  ASSERT_EQ(uv_loop_init(&uv), 0);
  int runs = 0;
  {
    Loop loop(&uv);
    loop.Post([&] { ++runs; });
    EXPECT_EQ(uv_run(&uv, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(runs, 1);
  }
  uv_run(&uv, UV_RUN_DEFAULT);
  EXPECT_EQ(uv_loop_close(&uv), 0) << "a handle is left";
}

}  // namespace
}  // namespace lwmsg::test
