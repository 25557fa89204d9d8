#include <gmock/gmock.h>

#include <random>

#include "tests/runtime/two_processes.h"

namespace lwmsg::test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// How a connection with handles under way ends: by hanging up, by a call that fails, by death.
class HandleTransferEndTest : public TwoProcesses {
 protected:
  // Handles both ways, in messages that are good and one that is not; then the end of `first`.
  void Talk(FakeSide& first) {
    Post(a_, {HandleKind::kFile, HandleKind::kSocket});
    Post(b_, {HandleKind::kSocket, HandleKind::kEvent});
    Run();
    Post(a_, {HandleKind::kKey, HandleKind::kSocket, std::nullopt});
    Post(b_, {HandleKind::kKey, HandleKind::kSocket, std::nullopt});
    Post(a_, {HandleKind::kSocket});
    Post(b_, {HandleKind::kTimer});
    Run();
    // Under way when it ends.
    Post(a_, {HandleKind::kFile, HandleKind::kSocket});
    Post(b_, {HandleKind::kFile, HandleKind::kSocket});
    Send(a_);
    Send(b_);
    HangUp(first);
    ExpectClean();
  }
  static constexpr std::array<std::pair<bool, bool>, 3> kRights = {
      std::pair(true, true), std::pair(true, false), std::pair(false, true)};
};

TEST_F(HandleTransferEndTest, WhatWasPushedBeforeAHangUpStillArrives) {
  Connect(true, false);
  Post(a_, {HandleKind::kFile});
  Run();
  Post(a_, {HandleKind::kFile, HandleKind::kSocket});
  Send(a_);
  HangUp(a_);
  Receive(b_);
  EXPECT_THAT(b_.received, SizeIs(2));
  ExpectClean();
}

TEST_F(HandleTransferEndTest, WhatWasPushedIsTakenBackFromAPeerThatHungUp) {
  for (const bool seen : {false, true}) {
    Reset();
    Connect(true, false);
    Post(a_, {HandleKind::kFile});
    Run();
    const size_t before = b_.process.table.size();
    if (seen) HangUp(b_);
    Post(a_, {HandleKind::kFile, HandleKind::kSocket});
    Send(a_);
    EXPECT_THAT(a_.unsent, SizeIs(seen ? 1 : 0));
    if (!seen) HangUp(b_);
    HangUp(a_);
    EXPECT_EQ(b_.process.table.size(), before);
    ExpectClean();
  }
}

// A raw peer does nothing of what HandleTransfer does at its end.
TEST_F(HandleTransferEndTest, WhatWasPushedIsTakenBackFromAPeerThatDoesNothing) {
  Connect(true, false);
  Post(a_, {HandleKind::kFile});
  Run();
  const size_t before = b_.process.table.size();
  Post(a_, {HandleKind::kFile, HandleKind::kSocket});
  Send(a_);
  EXPECT_EQ(b_.process.table.size(), before + 2);
  a_.transfer->End(true);
  EXPECT_EQ(b_.process.table.size(), before);
  ExpectClean();
}

TEST_F(HandleTransferEndTest, WhatAPassivePeerOfferedBeforeItsEndIsNotPulled) {
  Connect(true, false);
  Post(a_, {HandleKind::kFile});
  Run();
  Post(b_, {HandleKind::kFile});
  Send(b_);
  HangUp(b_);
  // The number means something else by now.
  b_.process.Open(HandleKind::kFile);
  Receive(a_);
  EXPECT_THAT(a_.received, IsEmpty());
  EXPECT_EQ(a_.end->code(), StatusCode::kUnavailable);
  ExpectClean();
}

TEST_F(HandleTransferEndTest, ALedgerThatWasClosedBeforeItWasOpenedIsLeftAlone) {
  Connect();
  Post(b_, {HandleKind::kFile});
  Send(b_);
  ASSERT_THAT(a_.inbox, SizeIs(1)) << "b asks";
  HangUp(b_);
  // The number means other memory by now, which may have a ledger's size.
  const Value section = b_.process.Open(HandleKind::kSection);
  const auto other = b_.process.table.at(section).object;
  const Value file = b_.process.Open(HandleKind::kFile);
  for (auto& word : other->ledger) word = file;
  Receive(a_);
  HangUp(a_);
  for (const auto& word : other->ledger) EXPECT_EQ(word, file);
  EXPECT_TRUE(b_.process.table.contains(file));
  ExpectClean();
}

TEST_F(HandleTransferEndTest, EndsInAnyOrder) {
  for (const auto& [a_may, b_may] : kRights) {
    for (const bool a_first : {true, false}) {
      Reset();
      Connect(a_may, b_may);
      Talk(a_first ? a_ : b_);
      EXPECT_GE(a_.received.size() + b_.received.size(), 4U);
    }
  }
}

TEST_F(HandleTransferEndTest, EndsWhileTheRolesAreBeingSettled) {
  for (const auto& [a_may, b_may] : kRights) {
    // After each frame of the settling.
    for (int frames = 0; frames < 8; ++frames) {
      for (const bool a_first : {true, false}) {
        Reset();
        Connect(a_may, b_may);
        Post(a_, {HandleKind::kFile});
        Post(b_, {HandleKind::kSocket});
        for (int i = 0; i < frames; ++i) {
          FakeSide& side = i % 2 == 0 ? a_ : b_;
          Send(side);
          if (!Other(side).inbox.empty()) ReceiveOne(Other(side));
        }
        HangUp(a_first ? a_ : b_);
        ExpectClean();
      }
    }
  }
}

TEST_F(HandleTransferEndTest, EachCallMayFail) {
  for (const auto& [a_may, b_may] : kRights) {
    for (const bool in_a : {true, false}) {
      for (int step = 0;; ++step) {
        SCOPED_TRACE("a may: " + std::to_string(a_may) + ", b may: " + std::to_string(b_may) +
                     ", in a: " + std::to_string(in_a) + ", step " + std::to_string(step));
        Reset();
        Connect(a_may, b_may);
        FakeProcess& process = (in_a ? a_ : b_).process;
        process.fail_at = step;
        Talk(a_);
        if (HasFailure()) return;
        if (process.steps <= step) break;
      }
    }
  }
}

TEST_F(HandleTransferEndTest, EitherMayBeKilledAtEachStep) {
  for (const auto& [a_may, b_may] : kRights) {
    for (const bool in_a : {true, false}) {
      for (const bool before : {true, false}) {
        for (int step = 0;; ++step) {
          SCOPED_TRACE("a may: " + std::to_string(a_may) + ", b may: " + std::to_string(b_may) +
                       ", in a: " + std::to_string(in_a) + ", before: " + std::to_string(before) +
                       ", step " + std::to_string(step));
          Reset();
          Connect(a_may, b_may);
          FakeProcess& process = (in_a ? a_ : b_).process;
          (before ? process.kill_before : process.kill_after) = step;
          Talk(in_a ? b_ : a_);
          if (HasFailure()) return;
          if (process.alive) break;
        }
      }
    }
  }
}

// What may happen at any time, in any order.
class HandleTransferRandomTest : public HandleTransferEndTest,
                                 public ::testing::WithParamInterface<unsigned> {
 protected:
  void Act() {
    FakeSide& side = random_() % 2 == 0 ? a_ : b_;
    switch (random_() % 4) {
      case 0: {
        std::vector<std::optional<HandleKind>> kinds(1 + random_() % 4);
        for (auto& kind : kinds) kind = kAllKinds.at(random_() % kAllKinds.size());
        if (random_() % 20 == 0) kinds.back() = std::nullopt;
        if (side.outbox.size() < 8) Post(side, kinds);
        return;
      }
      case 1:
        return Send(side);
      case 2:
        if (!side.inbox.empty()) ReceiveOne(side);
        return;
      default:
        // The program closes some of what it got, and opens others: numbers change their meaning.
        if (side.received.empty()) return;
        for (const Value value : side.received.back()) side.process.table.erase(value);
        side.received.pop_back();
        return;
    }
  }

  std::mt19937 random_{GetParam()};
};

TEST_P(HandleTransferRandomTest, LosesNothingAndClosesNothingTwice) {
  const auto [a_may, b_may] = kRights.at(random_() % kRights.size());
  Connect(a_may, b_may);
  size_t arrived = 0;
  for (int i = 0; i < 3000; ++i) {
    const size_t before = a_.received.size() + b_.received.size();
    Act();
    arrived += a_.received.size() + b_.received.size() > before ? 1 : 0;
    for (const FakeSide* side : {&a_, &b_}) ASSERT_FALSE(side->end) << side->end->ToString();
  }
  EXPECT_GT(arrived, 300U);
  if (random_() % 2 == 0) {
    FakeProcess& process = (random_() % 2 == 0 ? a_ : b_).process;
    process.kill_after = process.steps + static_cast<int>(random_() % 20);
  }
  Run();
  ExpectClean();
}

INSTANTIATE_TEST_SUITE_P(Seeds, HandleTransferRandomTest, ::testing::Range(0U, 24U));

}  // namespace
}  // namespace lwmsg::test
