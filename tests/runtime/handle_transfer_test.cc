#include "runtime/handle_transfer.h"

#include <gmock/gmock.h>

#include "tests/runtime/two_processes.h"

namespace lwmsg::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kinds = std::vector<std::optional<HandleKind>>;

constexpr auto kFile = HandleKind::kFile;
constexpr auto kSocket = HandleKind::kSocket;

class HandleTransferTest : public TwoProcesses {
 protected:
  // One is active, by its own rights.
  void ConnectActive(FakeSide& active) {
    Connect(&active == &a_, &active == &b_);
    Post(active, {kFile});
    Run();
    ASSERT_THAT(Other(active).received, SizeIs(1));
    Other(active).received.clear();
  }
  // What `side` makes of this one frame of its peer.
  StatusCode After(FakeSide& side, bool control, const std::vector<HandleRecord>& records) {
    Inject(side, control, records);
    Receive(side);
    return side.end ? side.end->code() : StatusCode::kOk;
  }
  std::map<Value, FakeHandle>& TableOf(FakeSide& side) { return side.process.table; }
  // The ledger, as `passive` can write it.
  std::shared_ptr<FakeObject> Ledger(FakeSide& passive) { return passive.process.ledger; }
};

class Roles : public HandleTransferTest,
              public ::testing::WithParamInterface<std::tuple<bool, bool, int>> {};

TEST_P(Roles, AreFoundByTrying) {
  const auto [a_may, b_may, who_asks] = GetParam();
  Connect(a_may, b_may);
  if (who_asks != 1) Post(a_, {kFile, kSocket});
  if (who_asks != 0) Post(b_, {kSocket, kFile});
  if (who_asks == 2) {
    // Both before either hears of the other.
    Send(a_);
    Send(b_);
  }
  Run();
  const bool possible = a_may || b_may;
  EXPECT_FALSE(a_.end || b_.end);
  EXPECT_EQ(b_.received.size(), possible && who_asks != 1 ? 1U : 0U);
  EXPECT_EQ(a_.received.size(), possible && who_asks != 0 ? 1U : 0U);
  EXPECT_EQ(a_.unsent.size(), !possible && who_asks != 1 ? 1U : 0U);
  EXPECT_EQ(b_.unsent.size(), !possible && who_asks != 0 ? 1U : 0U);
  // It stays so.
  Post(a_, {kFile});
  Post(b_, {kFile});
  Run();
  EXPECT_EQ(a_.received.size() + b_.received.size() + a_.unsent.size() + b_.unsent.size(),
            who_asks == 2 ? 4U : 3U);
  for (const FakeSide* side : {&a_, &b_}) {
    EXPECT_EQ(side->unsent.empty(), possible);
    for (const Status& status : side->unsent) {
      EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
      EXPECT_THAT(status.message(), HasSubstr("neither process may duplicate"));
    }
  }
  EXPECT_TRUE(a_.outbox.empty() && b_.outbox.empty());
  ExpectClean();
}

INSTANTIATE_TEST_SUITE_P(All, Roles,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool(),
                                            ::testing::Range(0, 3)));

TEST_F(HandleTransferTest, EveryKindGoesBothWays) {
  for (const bool a_may : {true, false}) {
    Reset();
    Connect(a_may, !a_may);
    for (FakeSide* from : {&a_, &b_}) {
      for (const HandleKind kind : kAllKinds) Post(*from, {kind});
      Post(*from, Kinds(kAllKinds.begin(), kAllKinds.end()));
    }
    Run();
    for (FakeSide* to : {&a_, &b_}) {
      ASSERT_THAT(to->received, SizeIs(kAllKinds.size() + 1));
      for (size_t i = 0; i < kAllKinds.size(); ++i) {
        EXPECT_EQ(TableOf(*to).at(to->received[i].at(0)).object->kind, kAllKinds[i]);
        EXPECT_EQ(TableOf(*to).at(to->received.back().at(i)).object->kind, kAllKinds[i]);
      }
    }
    ExpectClean();
    // Each has its three, what it got, and nothing of what it gave.
    EXPECT_THAT(TableOf(a_), SizeIs(3 + 2 * kAllKinds.size()));
    EXPECT_THAT(TableOf(b_), SizeIs(3 + 2 * kAllKinds.size()));
  }
}

TEST_F(HandleTransferTest, NothingIsAskedWithoutHandles) {
  Connect();
  Run();
  EXPECT_EQ(a_.process.steps + b_.process.steps, 0);
}

TEST_F(HandleTransferTest, AMessageOfWhichOneCannotGoIsTakenBackWhole) {
  for (const bool a_may : {true, false}) {
    Reset();
    ConnectActive(a_may ? a_ : b_);
    const size_t before = TableOf(b_).size();
    Post(a_, {kFile, kSocket, std::nullopt, kFile});
    Post(a_, {kFile});
    Run();
    ASSERT_THAT(a_.unsent, SizeIs(1));
    EXPECT_EQ(a_.unsent[0].code(), StatusCode::kPermissionDenied);
    EXPECT_THAT(b_.received, SizeIs(1)) << "the next one goes";
    EXPECT_EQ(TableOf(b_).size(), before + 1);
    ExpectClean();
  }
}

TEST_F(HandleTransferTest, SlotsAreTakenAgain) {
  ConnectActive(a_);
  for (size_t i = 0; i < 3 * kLedgerWords; ++i) {
    Post(a_, {kFile, kSocket});
    Send(a_);
    Receive(b_);
  }
  EXPECT_THAT(b_.received, SizeIs(3 * kLedgerWords));
  EXPECT_THAT(a_.unsent, IsEmpty());
  ExpectClean();
}

TEST_F(HandleTransferTest, AFullLedgerIsAnErrorOfTheMessage) {
  ConnectActive(a_);
  constexpr size_t kSlots = kLedgerWords - kFirstSlot;
  for (size_t i = 0; i < kSlots - 1; ++i) Post(a_, {kFile});
  Post(a_, {kFile, kFile});
  Send(a_);
  ASSERT_THAT(a_.unsent, SizeIs(1));
  EXPECT_EQ(a_.unsent[0].code(), StatusCode::kResourceExhausted);
  Post(a_, {kFile});
  Run();
  EXPECT_THAT(b_.received, SizeIs(kSlots));
  Post(a_, {kFile, kFile});
  Run();
  EXPECT_THAT(a_.unsent, SizeIs(1));
  ExpectClean();
}

TEST_F(HandleTransferTest, APeerThatTakesNothingIsBounded) {
  ConnectActive(a_);
  for (int i = 0; i < 8200; ++i) {
    Post(b_, {kFile});
    Send(b_);
    if (!b_.unsent.empty()) break;
  }
  ASSERT_THAT(b_.unsent, SizeIs(1));
  EXPECT_EQ(b_.unsent[0].code(), StatusCode::kResourceExhausted);
  b_.unsent.clear();
  Run();
  Post(b_, {kFile});
  Run();
  EXPECT_THAT(b_.unsent, IsEmpty());
  EXPECT_THAT(a_.received, SizeIs(8193));
  ExpectClean();
}

// --- A peer that lies.

constexpr auto kFileKind = static_cast<uint32_t>(HandleKind::kFile);
constexpr auto kSocketKind = static_cast<uint32_t>(HandleKind::kSocket);

std::vector<Value> PseudoValues() {
  std::vector<Value> values = {0, Value{1} << 31, Value{1} << 32, Value{1} << 63,
                               0xFFFF'FFFF'0000'0004};
  for (int64_t i = 1; i <= 12; ++i) {
    values.push_back(static_cast<Value>(-i));
    values.push_back(static_cast<uint32_t>(-i));
  }
  return values;
}

TEST_F(HandleTransferTest, PseudoHandlesAreRefusedBeforeAnyCall) {
  for (const Value value : PseudoValues()) {
    Reset();
    ConnectActive(a_);
    const int steps = a_.process.steps;
    const std::vector<HandleRecord> records = {{kOffered, kFileKind, value}};
    const auto got = a_.transfer->Receive(records);
    ASSERT_FALSE(got) << value;
    EXPECT_EQ(got.error().code(), StatusCode::kMalformed);
    EXPECT_EQ(a_.process.steps, steps) << value;
    ExpectClean();
  }
}

TEST_F(HandleTransferTest, PseudoHandlesAreNoLedger) {
  for (const Value value : PseudoValues()) {
    Reset();
    Connect();
    const std::vector<HandleRecord> records = {{kAsk, 0, value}};
    EXPECT_TRUE(a_.transfer->Control(records).ok());
    EXPECT_EQ(a_.process.steps, 1) << "its own ledger, and no call for " << value;
    const auto answer = a_.transfer->TakeControl();
    ASSERT_THAT(answer, SizeIs(1));
    EXPECT_EQ(answer[0].what, kCannot);
    ExpectClean();
  }
}

TEST_F(HandleTransferTest, PseudoHandlesInASlotAreNotTaken) {
  for (const Value value : PseudoValues()) {
    Reset();
    ConnectActive(a_);
    Ledger(b_)->ledger[kFirstSlot + 5] = value;
    const int steps = b_.process.steps;
    const std::vector<HandleRecord> records = {{kPushed, kFileKind, kFirstSlot + 5}};
    EXPECT_FALSE(b_.transfer->Receive(records));
    EXPECT_EQ(b_.process.steps, steps) << value;
    // Nor are they at the end.
    Ledger(b_)->ledger[kFirstSlot + 6] = value;
    ExpectClean();
  }
}

TEST_F(HandleTransferTest, SlotsThatHoldNothingAreRefused) {
  for (const Value slot : {Value{0}, Value{1}, Value{2}, Value{kFirstSlot + 20},
                           Value{kLedgerWords}, Value{kLedgerWords} << 3, ~Value{0}}) {
    Reset();
    ConnectActive(a_);
    EXPECT_EQ(After(b_, false, {{kPushed, kFileKind, slot}}), StatusCode::kMalformed) << slot;
    ExpectClean();
  }
}

TEST_F(HandleTransferTest, ASlotIsTakenOnce) {
  ConnectActive(a_);
  Post(a_, {kFile});
  Send(a_);
  const auto sent = b_.inbox.front();
  b_.inbox.push_back(sent);
  Receive(b_);
  EXPECT_THAT(b_.received, SizeIs(1));
  EXPECT_EQ(b_.end->code(), StatusCode::kMalformed);
  ExpectClean();
}

TEST_F(HandleTransferTest, WhatIsNotThePeersPartIsRefused) {
  struct Case {
    bool to_active;
    HandleRecord record;
  };
  constexpr Value kNumber = 0x100000;
  for (const Case& c :
       {Case{true, {kPushed, kFileKind, kFirstSlot}}, Case{false, {kOffered, kFileKind, kNumber}},
        Case{true, {kTaken, kFileKind, kNumber}}, Case{true, {kAsk, kFileKind, kNumber}},
        Case{true, {0, kFileKind, kNumber}}, Case{false, {99, kFileKind, kNumber}}}) {
    Reset();
    ConnectActive(a_);
    EXPECT_EQ(After(c.to_active ? a_ : b_, false, {c.record}), StatusCode::kMalformed)
        << c.record.what;
    ExpectClean();
  }
}

TEST_F(HandleTransferTest, HandlesBeforeTheRolesAreSettledAreRefused) {
  for (const bool asked : {false, true}) {
    for (const uint32_t what : {kPushed, kOffered}) {
      Reset();
      Connect();
      if (asked) Post(a_, {kFile});
      if (asked) Send(a_);
      EXPECT_EQ(After(a_, false, {{what, kFileKind, 0x100000}}), StatusCode::kMalformed);
      ExpectClean();
    }
  }
}

TEST_F(HandleTransferTest, ClaimsProveNothing) {
  Connect(false, false);
  Post(a_, {kFile});
  Send(a_);
  EXPECT_EQ(After(a_, true, {{kActive, 0, 0}}), StatusCode::kMalformed);
  EXPECT_THAT(a_.end->message(), HasSubstr("has not shown it"));
  // What waited for the answer waits no longer.
  a_.hung_up = false;
  Send(a_);
  ASSERT_THAT(a_.unsent, SizeIs(1));
  EXPECT_EQ(a_.unsent[0].code(), StatusCode::kFailedPrecondition);
  ExpectClean();
}

TEST_F(HandleTransferTest, AnswersToNoQuestionAreRefused) {
  for (const uint32_t what : {kActive, kNone, kCannot, 0U, 8U, 0xFFFFFFFFU}) {
    Reset();
    Connect();
    EXPECT_EQ(After(a_, true, {{what, 0, 0x100000}}), StatusCode::kMalformed) << what;
    ExpectClean();
  }
}

TEST_F(HandleTransferTest, SettledRolesStay) {
  for (const uint32_t what : {kAsk, kCannot, kActive, kNone}) {
    for (const bool to_active : {true, false}) {
      Reset();
      ConnectActive(a_);
      EXPECT_EQ(After(to_active ? a_ : b_, true, {{what, 0, 0x100000}}), StatusCode::kMalformed);
      ExpectClean();
    }
  }
}

TEST_F(HandleTransferTest, NoOpeningOfASecondLedger) {
  // Neither may: each has tried, or been told to.
  Connect(false, false);
  Post(a_, {kFile});
  Run();
  for (const uint32_t what : {kAsk, kCannot}) {
    a_.end.reset();
    const std::vector<HandleRecord> records = {{what, 0, 0x100000}};
    EXPECT_EQ(a_.transfer->Control(records).code(), StatusCode::kMalformed);
    EXPECT_EQ(b_.transfer->Control(records).code(), StatusCode::kMalformed);
  }
  ExpectClean();
}

TEST_F(HandleTransferTest, TakingWhatWasNotOfferedClosesNothing) {
  ConnectActive(a_);
  for (FakeSide* side : {&a_, &b_}) {
    const size_t before = TableOf(*side).size();
    for (const auto& [number, handle] : std::map(TableOf(*side))) {
      EXPECT_EQ(After(*side, true, {{kTaken, 0, number}, {kTaken, 0, number}}), StatusCode::kOk);
    }
    for (const Value value : PseudoValues()) After(*side, true, {{kTaken, 0, value}});
    EXPECT_EQ(TableOf(*side).size(), before);
  }
  ExpectClean();
}

TEST_F(HandleTransferTest, OfferedNumbersAreThePeersNotOnesOwn) {
  ConnectActive(a_);
  Value own = a_.process.Open(HandleKind::kEvent);
  while (TableOf(b_).contains(own)) own = a_.process.Open(HandleKind::kEvent);
  const auto object = TableOf(a_).at(own).object;
  EXPECT_EQ(After(a_, false, {{kOffered, static_cast<uint32_t>(HandleKind::kEvent), own}}),
            StatusCode::kMalformed);
  EXPECT_EQ(TableOf(a_).at(own).object, object);
  EXPECT_EQ(object.use_count(), 2);
  ExpectClean();
}

TEST_F(HandleTransferTest, APeerThatReadsNoAnswersIsRefused) {
  ConnectActive(a_);
  const Value own = b_.process.Open(HandleKind::kFile);
  size_t taken = 0;
  for (; !a_.end && taken < 20'000; ++taken) {
    Inject(a_, false, {{kOffered, kFileKind, own}});
    Receive(a_);
  }
  ASSERT_TRUE(a_.end);
  EXPECT_EQ(a_.end->code(), StatusCode::kResourceExhausted);
  EXPECT_LT(taken, 10'000U);
}

TEST_F(HandleTransferTest, TheKindMustBeTheDeclaredOne) {
  for (const bool pushed : {true, false}) {
    for (const auto& real :
         Kinds{HandleKind::kEvent, HandleKind::kProcess, kSocket, std::nullopt}) {
      for (const uint32_t said : {kFileKind, kSocketKind, 0U, 14U, 0xFFFFFFFFU}) {
        // Until Winsock has adopted it, a socket is a file.
        if (real == kSocket && (said == kSocketKind || said == kFileKind)) continue;
        Reset();
        ConnectActive(a_);
        const Value own = b_.process.Open(real);
        FakeSide& to = pushed ? b_ : a_;
        Value value = own;
        if (pushed) {
          TableOf(b_).at(own).owner = FakeHandle::Owner::kTransfer;
          TableOf(b_).at(own).raw = real == kSocket;
          value = kFirstSlot + 7;
          Ledger(b_)->ledger[value] = own;
        }
        Inject(to, false, {{pushed ? kPushed : kOffered, said, value}});
        Receive(to);
        ASSERT_TRUE(to.end) << said;
        EXPECT_EQ(to.end->code(), StatusCode::kMalformed);
        EXPECT_EQ(TableOf(b_).contains(own), !pushed);
        EXPECT_THAT(to.received, IsEmpty());
        ExpectClean();
        EXPECT_THAT(TableOf(a_), SizeIs(3));
      }
    }
  }
}

TEST_F(HandleTransferTest, OneBadHandleOfAMessageLosesNoneOfTheOthers) {
  ConnectActive(a_);
  Post(a_, {kFile, kSocket, kFile});
  Send(a_);
  // The second one's slot is empty when it comes.
  auto& bytes = b_.inbox.front().bytes;
  const auto second = internal::ParseRecord(std::span(bytes).subspan(16).first<16>());
  const Value number = Ledger(b_)->ledger[second.value].exchange(0);
  TableOf(b_).erase(number);
  Receive(b_);
  EXPECT_EQ(b_.end->code(), StatusCode::kMalformed);
  EXPECT_THAT(b_.received, IsEmpty());
  ExpectClean();
}

}  // namespace
}  // namespace lwmsg::test
