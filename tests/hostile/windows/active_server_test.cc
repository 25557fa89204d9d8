#include <windows.h>

#include "tests/hostile/windows/handle_server_fixture.h"

// Servers that may duplicate handles of the client's process, or say so: they push into its ledger
// and pull what it offers.
namespace lwmsg::test {
namespace {

class ActiveServerTest : public HandleServerTest {
 protected:
  // For `serve`: opens the client's ledger, which its call with a file brings, as an lwmsg peer
  // would.
  void OpenLedger() {
    server_->Write(HelloFrame());
    const HandleRecord asked = Await(0);
    EXPECT_EQ(asked.what, kAsk);
    HANDLE copy = nullptr;
    EXPECT_TRUE(DuplicateHandle(GetCurrentProcess(), ToNative(asked.value), GetCurrentProcess(),
                                &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
    ledger_.emplace(OsHandle(copy));
  }
  void BecomeActive() {
    OpenLedger();
    slot(kProofWord) = kProof;
    Tell({kActive, 0, 0});
    EXPECT_EQ(Await(1).what, kOffered);
  }
  std::atomic<uint64_t>& slot(size_t i) { return (*ledger_)[i]; }
  // A handle in the client, its number in that slot. The number.
  uint64_t Push(const OsHandle& handle, size_t i) {
    const uint64_t number = reinterpret_cast<uintptr_t>(handle.Duplicate()->Release());
    slot(i) = number;
    return number;
  }
  // A call with a file, whose answer is the one that `answer` writes. Each time by another server
  // to another client.
  Status CallAnsweredBy(const std::function<void()>& answer) {
    Again();
    return CollectOne([&] {
      BecomeActive();
      answer();
    });
  }
  void ExpectNoHandlesInTheLedger() {
    for (size_t i = kFirstSlot; i < kLedgerWords; ++i) ASSERT_EQ(slot(i), 0U) << i;
  }

  std::optional<LedgerView> ledger_;
};

INSTANTIATE_TEST_SUITE_P(Clients, ActiveServerTest,
                         testing::Values(ClientKind::kBlocking, ClientKind::kLoop),
                         [](const auto& kind) { return NameOf(kind.param); });

TEST_P(ActiveServerTest, PushedFileArrives) {
  const OsHandle file = FileWith("one");
  EXPECT_EQ(CallAnsweredBy([&] {
              const HandleRecord offered = RecordOf(*server_, 1);
              EXPECT_TRUE(IsOpen(ToNative(offered.value)));
              Tell({kTaken, 0, offered.value});
              Push(file, 5);
              Reply({{kPushed, kFile, 5}});
            }),
            Status());
  ASSERT_EQ(got_.size(), 1U);
  EXPECT_TRUE(SameFile(got_[0], file));
  EXPECT_TRUE(StillWorks());
  ExpectNoHandlesInTheLedger();
}

// T77.
TEST_P(ActiveServerTest, PseudoHandlesInSlotsEndTheCall) {
  for (const uint64_t value : PseudoValues()) {
    const Status status = CallAnsweredBy([&] {
      slot(5) = value;
      Reply({{kPushed, kFile, 5}});
    });
    EXPECT_TRUE(EndsWith(status, "slot 5 holds no OS handle but " + std::to_string(value)));
  }
}

// T77: what stands in a slot when the connection ends is closed, if it is a handle.
TEST_P(ActiveServerTest, PseudoHandlesInSlotsAreNotClosedAtTheEnd) {
  EXPECT_EQ(CallAnsweredBy([&] {
              size_t next = kFirstSlot;
              for (const uint64_t value : PseudoValues()) slot(next++) = value;
              Reply({});
            }),
            Status());
  DropClient();
  EXPECT_EQ(slot(kEndedWord), 1U);
  ExpectNoHandlesInTheLedger();
}

// T78.
TEST_P(ActiveServerTest, WhoClaimsToDuplicateHasToShowIt) {
  for (const uint64_t proof : {uint64_t{0}, kProof + 1, ~uint64_t{0}}) {
    Again();
    const Status status = CollectOne([&] {
      OpenLedger();
      slot(kProofWord) = proof;
      Tell({kActive, 0, 0});
    });
    EXPECT_TRUE(EndsWith(status, "has not shown it")) << proof;
  }
}

// T78.
TEST_P(ActiveServerTest, SlotsThatDoNotExistOrHoldNothingEndTheCall) {
  for (const uint64_t number : {uint64_t{kProofWord}, uint64_t{kEndedWord}, uint64_t{kLedgerWords},
                                uint64_t{kLedgerBytes}, uint64_t{1} << 32, ~uint64_t{0}}) {
    EXPECT_TRUE(EndsWith(CallAnsweredBy([&] { Reply({{kPushed, kFile, number}}); }),
                         "slot " + std::to_string(number) + " of OS handles does not exist"));
  }
  for (const size_t number : {kFirstSlot, kLedgerWords - 1}) {
    EXPECT_TRUE(EndsWith(CallAnsweredBy([&] { Reply({{kPushed, kFile, number}}); }),
                         "slot " + std::to_string(number) + " holds no OS handle but 0"));
  }
}

// T78.
TEST_P(ActiveServerTest, SlotThatIsNamedTwiceEndsTheCall) {
  const OsHandle event = MakeEvent();
  const Status status = CallAnsweredBy([&] {
    Push(event, 5);
    Reply({{kPushed, kEvent, 5}, {kPushed, kEvent, 5}});
  });
  EXPECT_TRUE(EndsWith(status, "slot 5 holds no OS handle but 0"));
  EXPECT_TRUE(IsOpen(event.get()));
}

// T78.
TEST_P(ActiveServerTest, OfferedHandlesAreRefused) {
  const OsHandle event = MakeEvent();
  for (const uint64_t value : {ValueOf(event), uint64_t{0}, ~uint64_t{0}, uint64_t{0xFFFFFFFE}}) {
    EXPECT_TRUE(
        EndsWith(CallAnsweredBy([&] { Reply({{kOffered, kEvent, value}}); }), "not its part"));
    EXPECT_TRUE(IsOpen(event.get()));
  }
}

// T79.
TEST_P(ActiveServerTest, PushedHandlesOfAnotherKindAreClosed) {
  const OsHandle event = MakeEvent();
  const OsHandle section = MakeSection(4096);
  const OsPipe pipe = MakeOsPipe();
  for (const auto& [handle, kind] : {std::pair(&event, kFile),
                                     {&section, kEvent},
                                     {&section, kSocket},
                                     {&pipe.reader, kSocket},
                                     {&event, 0U},
                                     {&event, kLastKind + 1},
                                     {&event, ~0U}}) {
    uint64_t pushed = 0;
    const Status status = CallAnsweredBy([&] {
      pushed = Push(*handle, 7);
      Reply({{kPushed, kind, 7}});
    });
    EXPECT_TRUE(EndsWith(status, "")) << kind;
    EXPECT_TRUE(IsOpen(handle->get()));
    EXPECT_NE(pushed, ValueOf(*handle));
  }
}

// T79.
TEST_P(ActiveServerTest, NumberOfNothingInASlotEndsTheCall) {
  for (const uint64_t value : {reinterpret_cast<uint64_t>(NumberOfNothing()), uint64_t{1}}) {
    const Status status = CallAnsweredBy([&] {
      slot(5) = value;
      Reply({{kPushed, kFile, 5}});
    });
    EXPECT_TRUE(EndsWith(status, "the peer passes what must not be passed"));
  }
}

// T80.
TEST_P(ActiveServerTest, WhatWasPushedBeforeTheServerHungUpIsClosed) {
  const OsHandle file = FileWith("one");
  const Status status = CallAnsweredBy([&] {
    for (const size_t i : {kFirstSlot, kLedgerWords - 1}) Push(file, i);
    server_->Close();
  });
  EXPECT_TRUE(Says(status, StatusCode::kUnavailable, {"closed the connection"}));
  DropClient();
  EXPECT_EQ(slot(kEndedWord), 1U);
  ExpectNoHandlesInTheLedger();
}

// T80: the good one of two is closed too, and what was pushed for later.
TEST_P(ActiveServerTest, WhatWasPushedBesideABadOneIsClosed) {
  const OsHandle file = FileWith("one");
  const Status status = CallAnsweredBy([&] {
    for (size_t i = 5; i < 8; ++i) Push(file, i);
    Reply({{kPushed, kFile, 5}, {kPushed, kFile, 9}, {kPushed, kFile, 6}});
  });
  EXPECT_TRUE(EndsWith(status, "slot 9 holds no OS handle but 0"));
  ExpectNoHandlesInTheLedger();
}

// T80: at each step.
TEST_P(ActiveServerTest, ServerThatHangsUpDuringTheExchangeEndsTheCall) {
  for (int steps = 0; steps < 4; ++steps) {
    Again();
    const Status status = CollectOne([&] {
      OpenLedger();
      if (steps > 0) slot(kProofWord) = kProof;
      if (steps > 1) Tell({kActive, 0, 0});
      if (steps > 2) Await(1);
      server_->Close();
    });
    EXPECT_TRUE(Says(status, StatusCode::kUnavailable, {})) << steps;
  }
}

// T80.
TEST_P(ActiveServerTest, SilenceBehindTheOfferEndsAtTheDeadline) {
  Again();
  options_.limits.call_timeout = kDeadline;
  uint64_t offered = 0;
  const Status status = CollectOne([&] {
    BecomeActive();
    offered = RecordOf(*server_, 1).value;
  });
  EXPECT_TRUE(Says(status, StatusCode::kDeadlineExceeded, {"Sample.collect"}));
  // Still the client's, as the server may want it.
  EXPECT_TRUE(IsOpen(ToNative(offered)));
}

// T81.
TEST_P(ActiveServerTest, TakenHandlesAreClosedOnceAndNoOthers) {
  const OsHandle event = MakeEvent();
  EXPECT_EQ(CallAnsweredBy([&] {
              const HandleRecord offered = RecordOf(*server_, 1);
              for (int i = 0; i < 2; ++i) Tell({kTaken, 0, offered.value});
              for (const uint64_t value : PseudoValues()) Tell({kTaken, 0, value});
              Tell({kTaken, 0, ValueOf(event)});
              Reply({});
            }),
            Status());
  EXPECT_TRUE(IsOpen(event.get()));
  EXPECT_TRUE(StillWorks());
}

// T81.
TEST_P(ActiveServerTest, QuestionsAndAnswersThatCameBeforeEndTheCall) {
  for (const auto& [what, part] : {std::pair(kAsk, "asks twice"),
                                   {kActive, "to no question"},
                                   {kCannot, "to no question"},
                                   {kNone, "to no question"}}) {
    EXPECT_TRUE(EndsWith(CallAnsweredBy([&] { Tell({what, 0, ValueOf(MakeEvent())}); }), part));
  }
}

// T81.
TEST_P(ActiveServerTest, ServerThatSaysThatNeitherCanFailsTheCallOnly) {
  const Status status = CollectOne([&] {
    OpenLedger();
    Tell({kNone, 0, 0});
  });
  EXPECT_TRUE(Says(status, StatusCode::kFailedPrecondition, {"PROCESS_DUP_HANDLE"}));
  EXPECT_TRUE(StillWorks());
}

// T87.
TEST_P(ActiveServerTest, PowerOverProcessesIsRefusedWhereNoFieldAsksForIt) {
  for (const auto& [real, handle] : PowersOverProcesses()) {
    for (uint32_t said = 0; said <= kLastKind + 1; ++said) {
      const Status status = CallAnsweredBy([&] {
        Push(handle, 5);
        Reply({{kPushed, said, 5}});
      });
      if (said == real) {
        EXPECT_TRUE(
            Says(status, StatusCode::kMalformed, {"items[0].file", "$Lwmsg.processHandle"}));
        EXPECT_TRUE(StillWorks());
      } else {
        EXPECT_TRUE(EndsWith(status, "as one of kind " + std::to_string(said)));
      }
      EXPECT_TRUE(IsOpen(handle.get()));
    }
  }
}

}  // namespace
}  // namespace lwmsg::test
