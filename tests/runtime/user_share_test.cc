#include "runtime/user_share.h"

#include <gtest/gtest.h>

#include "lwmsg/loop.h"
#include "runtime/uv_loop.h"
#include "tests/support/inventory.h"

// What a user may read of a loop's turns.
namespace lwmsg::test {
namespace {

using internal::UserShare;
using internal::UserShares;

Token User(uint32_t euid) {
  TokenFacts facts;
  facts.euid = euid;
  return Token(std::move(facts));
}

constexpr size_t kAlone = 1 << 20;

class UserShareTest : public InventoriedTest {
 protected:
  void NextTurn() {
    const uint64_t before = loop_.impl().turn();
    do {
      loop_.Post([this] { loop_.Stop(); });
      loop_.Run();
    } while (loop_.impl().turn() == before);
  }

  Loop loop_;
  UserShares shares_{loop_.impl(), 1000};
};

TEST_F(UserShareTest, IsOneForAllAssociationsOfAUserAndForAllUnknown) {
  const auto alice = shares_.For(User(1000));
  EXPECT_EQ(shares_.For(User(1000)), alice);
  EXPECT_NE(shares_.For(User(1001)), alice);
  const auto unknown = shares_.For(Token());
  EXPECT_EQ(shares_.For(Token()), unknown);
  EXPECT_NE(unknown, alice);
}

TEST_F(UserShareTest, IsAMiBATurnForOneWhoIsAlone) {
  const auto alice = shares_.For(User(1000));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(alice->ReadRoom(), kAlone);
    alice->Read(kAlone - 1);
    EXPECT_EQ(alice->ReadRoom(), 1U);
    alice->Read(10);
    EXPECT_EQ(alice->ReadRoom(), 0U) << "who comes now is not behind all her connections";
    NextTurn();
  }
}

TEST_F(UserShareTest, IsTheSameForEachWhileSeveralRead) {
  const auto alice = shares_.For(User(1000));
  const auto bob = shares_.For(User(1001));
  alice->Read(100);
  bob->Read(100);
  NextTurn();
  const size_t room = alice->ReadRoom();
  EXPECT_EQ(bob->ReadRoom(), room);
  EXPECT_LE(room, 16U << 10);
  alice->Read(room);
  EXPECT_EQ(alice->ReadRoom(), 0U) << "others come first";
  EXPECT_EQ(bob->ReadRoom(), room);
  NextTurn();
  EXPECT_GT(alice->ReadRoom(), 0U) << "the next turn is hers too";
}

TEST_F(UserShareTest, IsPaidBackWhenMoreWasRead) {
  const auto alice = shares_.For(User(1000));
  const auto bob = shares_.For(User(1001));
  alice->Read(1);
  bob->Read(1);
  const size_t room = bob->ReadRoom();
  // The rest of a large frame is read in one piece.
  alice->Read(20 * room);
  int turns = 0;
  while (alice->ReadRoom() == 0) {
    bob->Read(1);
    NextTurn();
    ++turns;
    ASSERT_LT(turns, 100);
  }
  EXPECT_GT(turns, 3);
}

TEST_F(UserShareTest, IsThatOfOneAloneAgainWhenTheOthersHaveGone) {
  const auto alice = shares_.For(User(1000));
  const auto bob = shares_.For(User(1001));
  alice->Read(1);
  bob->Read(1);
  for (int i = 0; i < 200; ++i) NextTurn();
  EXPECT_EQ(alice->ReadRoom(), kAlone);
}

TEST_F(UserShareTest, SumsUpWhatIsQueued) {
  const auto alice = shares_.For(User(1000));
  alice->Charge({}, {100, 2, 1});
  alice->Charge({}, {50, 1, 0});
  alice->Charge({100, 2, 1}, {10, 1, 0});
  EXPECT_EQ(alice->queued(), (Transport::Queued{60, 2, 0}));
}

}  // namespace
}  // namespace lwmsg::test
