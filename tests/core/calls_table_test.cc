#include <gmock/gmock.h>

#include <set>

#include "lwmsg/internal/incoming_calls.h"
#include "lwmsg/internal/outgoing_calls.h"

namespace lwmsg::internal {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

OutgoingCalls::Call WithDeadline(int second) {
  OutgoingCalls::Call call;
  call.deadline = TimePoint(seconds(second));
  call.done = [](Result<IncomingMessage>) {};
  return call;
}

TEST(OutgoingCallsTest, IdsAreUniqueNeverZeroAndNotSoonUsedAgain) {
  OutgoingCalls calls;
  std::set<uint32_t> ids;
  for (int round = 0; round < 1000; ++round) {
    const uint32_t a = calls.Add({}).id;
    const uint32_t b = calls.Add({}).id;
    EXPECT_NE(a, 0U);
    EXPECT_TRUE(ids.insert(a).second);
    EXPECT_TRUE(ids.insert(b).second);
    calls.Remove(a);
    calls.Remove(b);
    EXPECT_EQ(calls.Find(a), nullptr);
  }
  EXPECT_EQ(calls.size(), 0U);
}

TEST(OutgoingCallsTest, AsManyAsThereAreIdsHaveEachItsOwn) {
  OutgoingCalls calls;
  std::set<uint32_t> ids;
  while (calls.size() < OutgoingCalls::kMost) ids.insert(calls.Add({}).id);
  EXPECT_EQ(ids.size(), OutgoingCalls::kMost);
  for (const uint32_t id : ids) ASSERT_EQ(calls.Find(id)->id, id);
}

TEST(OutgoingCallsTest, AnIdSurvivesTheWrapOfItsCounter) {
  OutgoingCalls calls;
  for (int round = 0; round < 70'000; ++round) {
    const uint32_t id = calls.Add({}).id;
    ASSERT_NE(id, 0U);
    ASSERT_NE(calls.Find(id), nullptr);
    calls.Remove(id);
  }
}

TEST(OutgoingCallsTest, AnOldKeyFindsNoNewCall) {
  OutgoingCalls calls;
  const CallKey old = calls.Add({});
  CallKey key = old;
  do {
    calls.Remove(key.id);
    key = calls.Add({});
  } while (key.id != old.id);
  EXPECT_EQ(calls.Find(old), nullptr);
  EXPECT_NE(calls.Find(key), nullptr);
}

TEST(OutgoingCallsTest, AnAbandonedCallKeepsItsIdUntilItsReply) {
  OutgoingCalls calls;
  const uint32_t id = calls.Add(WithDeadline(1)).id;
  EXPECT_TRUE(calls.Abandon(id));
  EXPECT_FALSE(calls.Abandon(id));
  EXPECT_NE(calls.Find(id), nullptr);
  EXPECT_EQ(calls.EarliestDeadline(), std::nullopt);
  EXPECT_NE(calls.Add({}).id, id);
}

TEST(OutgoingCallsTest, TellsWhichAreDue) {
  OutgoingCalls calls;
  const uint32_t late = calls.Add(WithDeadline(30)).id;
  const uint32_t soon = calls.Add(WithDeadline(10)).id;
  calls.Add({});
  EXPECT_EQ(calls.EarliestDeadline(), TimePoint(seconds(10)));
  EXPECT_THAT(calls.Due(TimePoint(seconds(9))), ElementsAre());
  EXPECT_THAT(calls.Due(TimePoint(seconds(10))), ElementsAre(soon));
  EXPECT_THAT(calls.Due(TimePoint(seconds(99))), UnorderedElementsAre(soon, late));
}

TEST(OutgoingCallsTest, RemoveAllGivesThoseInUse) {
  OutgoingCalls calls;
  const uint32_t a = calls.Add({}).id;
  const uint32_t b = calls.Add({}).id;
  calls.Remove(a);
  auto all = calls.RemoveAll();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id, b);
  EXPECT_EQ(calls.size(), 0U);
}

TEST(IncomingCallsTest, CancelTellsOnce) {
  IncomingCalls calls;
  int told = 0;
  calls.Add({.id = 7, .waiters = {[&told] { ++told; }, {}, {}}});
  calls.MarkCancelled(7).Tell();
  EXPECT_TRUE(calls.Find(7U)->cancelled);
  calls.MarkCancelled(7).Tell();
  calls.MarkCancelled(8).Tell();
  EXPECT_EQ(told, 1);
}

TEST(IncomingCallsTest, RemoveForgetsOne) {
  IncomingCalls calls;
  for (uint32_t id : {1, 2, 3}) calls.Add({.id = id});
  EXPECT_TRUE(calls.Remove(1));
  EXPECT_FALSE(calls.Remove(1));
  EXPECT_EQ(calls.Find(1), nullptr);
  EXPECT_NE(calls.Find(2), nullptr);
  EXPECT_NE(calls.Find(3), nullptr);
  EXPECT_EQ(calls.size(), 2U);
}

TEST(IncomingCallsTest, AnOldKeyFindsNoNewCall) {
  IncomingCalls calls;
  const CallKey old = calls.Add({.id = 7});
  EXPECT_NE(calls.Find(old), nullptr);
  calls.Remove(7);
  const CallKey key = calls.Add({.id = 7});
  EXPECT_EQ(calls.Find(old), nullptr);
  EXPECT_NE(calls.Find(key), nullptr);
}

TEST(IncomingCallsTest, ADeadlineIsTakenOnce) {
  IncomingCalls calls;
  calls.Add({.id = 1, .deadline = TimePoint(seconds(5))});
  calls.Add({.id = 2, .deadline = TimePoint(seconds(9))});
  EXPECT_EQ(calls.EarliestDeadline(), TimePoint(seconds(5)));
  EXPECT_THAT(calls.TakeDue(TimePoint(seconds(6))), ElementsAre(1));
  EXPECT_THAT(calls.TakeDue(TimePoint(seconds(6))), ElementsAre());
  EXPECT_EQ(calls.EarliestDeadline(), TimePoint(seconds(9)));
}

}  // namespace
}  // namespace lwmsg::internal
