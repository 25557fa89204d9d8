#include "runtime/placement.h"

#include <gtest/gtest.h>

#include "tests/support/inventory.h"

// Which loop a process goes to.
namespace lwmsg::test {
namespace {

using internal::Placement;

Token Process(uint32_t pid) {
  TokenFacts facts;
  facts.pid = pid;
  return Token(std::move(facts));
}

class PlacementTest : public InventoriedTest {};

TEST_F(PlacementTest, ProcessesSpreadAndEachStaysTogether) {
  Placement placement(2);
  EXPECT_EQ(placement.Enter(Process(1)).loop, 0U);
  EXPECT_EQ(placement.Enter(Process(2)).loop, 1U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(placement.Enter(Process(1)).loop, 0U);
  // The first loop has four by now, the second one.
  EXPECT_EQ(placement.Enter(Process(3)).loop, 1U);
  EXPECT_EQ(placement.Enter(Process(4)).loop, 1U);
  EXPECT_EQ(placement.count(), 7U);
}

TEST_F(PlacementTest, ProcessIsNewAgainWhenAllItsAssociationsHaveEnded) {
  Placement placement(2);
  placement.Enter(Process(1));
  const auto first = placement.Enter(Process(2));
  const auto second = placement.Enter(Process(2));
  placement.Leave(first);
  placement.Enter(Process(3));
  placement.Enter(Process(4));
  const auto third = placement.Enter(Process(2));
  EXPECT_EQ(third.loop, 1U) << "one of it was left there";
  placement.Leave(second);
  placement.Leave(third);
  EXPECT_EQ(placement.Enter(Process(5)).loop, 1U);
  EXPECT_EQ(placement.Enter(Process(2)).loop, 0U);
  EXPECT_EQ(placement.count(), 5U);
}

TEST_F(PlacementTest, UnknownProcessesSpreadEachForItself) {
  Placement placement(3);
  for (size_t i = 0; i < 9; ++i) EXPECT_EQ(placement.Enter(Token()).loop, i % 3);
}

TEST_F(PlacementTest, WhatStaysOnTheFirstLoopLeavesItsProcessWhereItIs) {
  Placement placement(2);
  placement.Enter(Process(1));
  const auto there = placement.Enter(Process(2));
  ASSERT_EQ(there.loop, 1U);
  const auto here = placement.EnterFirst(Process(2));
  EXPECT_EQ(here.loop, 0U);
  EXPECT_EQ(placement.Enter(Process(2)).loop, 1U);
  placement.Leave(here);
  EXPECT_EQ(placement.Enter(Process(2)).loop, 1U);
}

TEST_F(PlacementTest, ProcessThatIsOnTheFirstLoopAnywayIsJoinedThere) {
  Placement placement(2);
  placement.EnterFirst(Process(1));
  EXPECT_EQ(placement.Enter(Process(1)).loop, 0U);
}

}  // namespace
}  // namespace lwmsg::test
