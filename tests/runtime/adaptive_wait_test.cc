#include "runtime/adaptive_wait.h"

#include <gtest/gtest.h>
#include <uv.h>

#include "lwmsg/lwmsg.h"
#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {
namespace {

using internal::AdaptiveWait;
using std::chrono::hours;
using std::chrono::microseconds;

// How many sleeps go without a look before the next look.
int SleepsBeforeALook(AdaptiveWait& wait) {
  int sleeps = 0;
  while (!wait.Begin(TimePoint())) ++sleeps;
  return sleeps;
}

TEST(AdaptiveWaitTest, LooksForAsLongAsItMay) {
  AdaptiveWait wait;
  wait.set_longest(microseconds(30));
  const TimePoint now;
  ASSERT_TRUE(wait.Begin(now));
  EXPECT_FALSE(wait.IsOver(now));
  EXPECT_FALSE(wait.IsOver(now + microseconds(29)));
  EXPECT_TRUE(wait.IsOver(now + microseconds(30)));
}

TEST(AdaptiveWaitTest, LooksInVainGetRareAndOneThatFindsSomethingMakesThemUsualAgain) {
  AdaptiveWait wait;
  for (const int sleeps : {0, 1, 2, 4, 8, 16, 32, 64, 64, 64}) {
    EXPECT_EQ(SleepsBeforeALook(wait), sleeps);
    wait.Missed();
  }
  EXPECT_EQ(SleepsBeforeALook(wait), 64);
  wait.Found();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(SleepsBeforeALook(wait), 0);
    wait.Found();
  }
  wait.Missed();
  EXPECT_EQ(SleepsBeforeALook(wait), 1);
}

TEST(AdaptiveWaitTest, ZeroSwitchesItOff) {
  AdaptiveWait wait;
  wait.set_longest(microseconds(0));
  for (int i = 0; i < 200; ++i) EXPECT_FALSE(wait.Begin(TimePoint()));
}

class BusyWaitTest : public InventoriedTest {
 protected:
  BusyWaitTest() {
    EXPECT_TRUE(server_.Serve(sample_).ok());
    EXPECT_TRUE(server_.Listen(folder_.Endpoint()).ok());
  }
  void Call() {
    bool answered = false;
    sample::SampleClient(client_).Nothing().Send([&](auto reply) { answered = reply.has_value(); });
    ASSERT_TRUE(RunLoopUntil(loop_, [&] { return answered; }));
  }
  // libuv would not sleep in the next turn.
  bool IsBusy() { return uv_backend_timeout(loop_.uv()) == 0; }

  TemporaryFolder folder_;
  Loop loop_;
  SampleService sample_;
  Server server_{loop_};
  Client client_{loop_, folder_.Endpoint()};
};

TEST_F(BusyWaitTest, LoopSleepsSoonAfterTheLastMessage) {
  Call();
  EXPECT_TRUE(RunLoopUntil(loop_, [this] { return !IsBusy(); }));
}

TEST_F(BusyWaitTest, LoopLooksForWhatFollowsAMessageForAsLongAsItMay) {
  loop_.SetBusyWait(hours(1));
  Call();
  EXPECT_TRUE(RunLoopUntil(loop_, [this] { return IsBusy(); }));
  for (int i = 0; i < 100; ++i) uv_run(loop_.uv(), UV_RUN_ONCE);
  EXPECT_TRUE(IsBusy());
}

TEST_F(BusyWaitTest, LoopThatMayNotLookSleepsAtOnce) {
  loop_.SetBusyWait(microseconds(0));
  for (int i = 0; i < 3; ++i) Call();
  EXPECT_FALSE(IsBusy());
}

}  // namespace
}  // namespace lwmsg::test
