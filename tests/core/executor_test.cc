#include <gmock/gmock.h>

#include <memory>
#include <vector>

#include "tests/support/manual_executor.h"

namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

TEST(TimerTest, TimersRunInOrderOfTheirTime) {
  ManualExecutor executor;
  std::vector<int> order;
  Timer late(executor, [&] { order.push_back(2); });
  Timer soon(executor, [&] { order.push_back(1); });
  late.ArmAfter(milliseconds(20));
  soon.ArmAfter(milliseconds(10));
  executor.Advance(milliseconds(9));
  EXPECT_THAT(order, ElementsAre());
  executor.Advance(milliseconds(11));
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST(TimerTest, DisarmedTimerDoesNotRun) {
  ManualExecutor executor;
  int runs = 0;
  Timer timer(executor, [&] { ++runs; });
  timer.ArmAfter(milliseconds(5));
  timer.Disarm();
  executor.Advance(milliseconds(50));
  EXPECT_EQ(runs, 0);
  EXPECT_TRUE(executor.idle());
}

TEST(TimerTest, ArmingAgainMovesIt) {
  ManualExecutor executor;
  int runs = 0;
  Timer timer(executor, [&] { ++runs; });
  timer.ArmAfter(milliseconds(5));
  timer.ArmAfter(milliseconds(50));
  executor.Advance(milliseconds(10));
  EXPECT_EQ(runs, 0);
  executor.Advance(milliseconds(40));
  EXPECT_EQ(runs, 1);
}

TEST(TimerTest, MayGoOrArmItselfInItsOwnFunction) {
  ManualExecutor executor;
  int runs = 0;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(executor, [&] {
    if (++runs == 3) {
      timer.reset();
    } else {
      timer->ArmAfter(milliseconds(1));
    }
  });
  timer->ArmAfter(milliseconds(1));
  executor.Advance(milliseconds(10));
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(timer, nullptr);
}

TEST(TimerTest, MayEndAnotherThatIsDueToo) {
  ManualExecutor executor;
  int runs = 0;
  auto second = std::make_unique<Timer>(executor, [&] { ++runs; });
  Timer first(executor, [&] { second.reset(); });
  first.ArmAfter(milliseconds(1));
  second->ArmAfter(milliseconds(2));
  executor.Advance(milliseconds(10));
  EXPECT_EQ(runs, 0);
}

}  // namespace
}  // namespace lwmsg::test
