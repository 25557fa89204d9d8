#include "runtime/user_share.h"

#include <gtest/gtest.h>

#include "lwmsg/loop.h"
#include "runtime/uv_loop.h"
#include "tests/support/inventory.h"

// What a user may read of a loop's turns.
namespace lwmsg::test {
namespace {

using internal::UserShares;

Token User(uint32_t euid) {
  TokenFacts facts;
  facts.euid = euid;
  return Token(std::move(facts));
}

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
  UserShares shares_{loop_.impl(), Limits()};
};

TEST_F(UserShareTest, IsOneForAllAssociationsOfAUserAndForAllUnknown) {
  const auto alice = shares_.For(User(1000));
  EXPECT_EQ(shares_.For(User(1000)), alice);
  EXPECT_NE(shares_.For(User(1001)), alice);
  const auto unknown = shares_.For(Token());
  EXPECT_EQ(shares_.For(Token()), unknown);
  EXPECT_NE(unknown, alice);
}

TEST_F(UserShareTest, IsAMiBAndAReadOfEachConnectionForOneWhoIsAlone) {
  const auto alice = shares_.For(User(1000));
  for (int i = 0; i < 3; ++i) {
    EXPECT_GT(alice->ReadRoom(true), size_t{1} << 40);
    alice->Read((1 << 20) - 1);
    EXPECT_GT(alice->ReadRoom(true), size_t{1} << 40);
    alice->Read(1);
    EXPECT_EQ(alice->ReadRoom(true), 0U) << "who comes now is not behind all her connections";
    EXPECT_GT(alice->ReadRoom(false), size_t{1} << 40) << "another one of hers is";
    NextTurn();
  }
}

TEST_F(UserShareTest, DebtIsForgottenWithTheTurnsThatPass) {
  const auto alice = shares_.For(User(1000));
  const auto bob = shares_.For(User(1001));
  bob->Read(1);
  alice->Read(1 << 20);
  bob->Read(1);
  for (int i = 0; i < 600; ++i) NextTurn();
  EXPECT_GT(alice->ReadRoom(false), size_t{1} << 40) << "nobody has contended for long";
  alice->Read(100);
  EXPECT_GT(alice->ReadRoom(false), 0U);
}

TEST_F(UserShareTest, IsTheSameForEachWhileSeveralRead) {
  const auto alice = shares_.For(User(1000));
  const auto bob = shares_.For(User(1001));
  alice->Read(100);
  bob->Read(100);
  NextTurn();
  const size_t room = alice->ReadRoom(false);
  EXPECT_EQ(bob->ReadRoom(false), room);
  EXPECT_LE(room, 16U << 10);
  alice->Read(room);
  EXPECT_EQ(alice->ReadRoom(false), 0U) << "others come first";
  EXPECT_EQ(bob->ReadRoom(false), room);
  NextTurn();
  EXPECT_GT(alice->ReadRoom(false), 0U) << "the next turn is hers too";
}

TEST_F(UserShareTest, IsPaidBackWhenMoreWasRead) {
  const auto alice = shares_.For(User(1000));
  const auto bob = shares_.For(User(1001));
  alice->Read(1);
  bob->Read(1);
  const size_t room = bob->ReadRoom(false);
  // The rest of a large frame is read in one piece.
  alice->Read(20 * room);
  int turns = 0;
  while (alice->ReadRoom(false) == 0) {
    bob->Read(1);
    NextTurn();
    ++turns;
    ASSERT_LT(turns, 100);
  }
  EXPECT_GT(turns, 3);
}

TEST_F(UserShareTest, IsUnlimitedAgainWhenTheOthersHaveGone) {
  const auto alice = shares_.For(User(1000));
  const auto bob = shares_.For(User(1001));
  alice->Read(1);
  bob->Read(1);
  for (int i = 0; i < 200; ++i) NextTurn();
  EXPECT_GT(alice->ReadRoom(false), size_t{1} << 40);
}

// Who comes again has what it had before.
TEST_F(UserShareTest, StaysWhileHandlesOfItsUserAreOpen) {
  const auto handles = shares_.For(User(1000))->handles();
  handles->Hold(1);
  shares_.For(User(1001));
  EXPECT_EQ(shares_.For(User(1000))->handles(), handles);
  handles->LetGo(1);
  shares_.For(User(1002));
  EXPECT_NE(shares_.For(User(1000))->handles(), handles);
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
