#include <windows.h>

#include <chrono>
#include <future>
#include <random>
#include <thread>

#include "tests/hostile/windows/handle_server_fixture.h"

// Servers that may not duplicate, or say so: the client pulls out of them and pushes into them.
namespace lwmsg::test {
namespace {

class PassiveServerTest : public HandleServerTest {
 protected:
  // The client's call brings nothing but the answer with these handles.
  Status CallAnsweredWith(const std::vector<HandleRecord>& records) {
    return Collect({}, [&] {
      server_->Write(HelloFrame());
      Tell({kAsk, 0, ValueOf(ledger_)});
      Reply(records);
    });
  }
  // Of one that is good and this one. Each time by another server to another client.
  Status CallAnsweredWith(const HandleRecord& record) {
    Again();
    const OsHandle good = OpenNull();
    return CallAnsweredWith({{kOffered, kFile, ValueOf(good)}, record});
  }
  // For `serve`: the client asked, as its call has a file. It is to duplicate.
  void LetTheClientDuplicate() {
    server_->Write(HelloFrame());
    EXPECT_EQ(Await(0).what, kAsk);
    Tell({kCannot, 0, ValueOf(ledger_)});
  }
  void ExpectNoHandlesInTheLedger() {
    const LedgerView ledger(ledger_);
    for (size_t i = kFirstSlot; i < kLedgerWords; ++i) ASSERT_EQ(ledger[i], 0U) << i;
  }

  OsHandle ledger_ = MakeSection(kLedgerBytes);
};

INSTANTIATE_TEST_SUITE_P(Clients, PassiveServerTest,
                         testing::Values(ClientKind::kBlocking, ClientKind::kLoop),
                         [](const auto& kind) { return NameOf(kind.param); });

TEST_P(PassiveServerTest, OfferedFilesArriveAndAreAnswered) {
  const OsHandle file = FileWith("one");
  const OsHandle event = MakeEvent();
  EXPECT_EQ(
      CallAnsweredWith({{kOffered, kFile, ValueOf(file)}, {kOffered, kEvent, ValueOf(event)}}),
      Status());
  ASSERT_EQ(got_.size(), 2U);
  EXPECT_TRUE(SameFile(got_[0], file));
  EXPECT_TRUE(StillWorks());
  EXPECT_EQ(RecordOf(*server_, 0).what, kActive);
  EXPECT_EQ(RecordOf(*server_, 1), (HandleRecord{kTaken, 0, ValueOf(file)}));
  EXPECT_EQ(RecordOf(*server_, 2), (HandleRecord{kTaken, 0, ValueOf(event)}));
}

TEST_P(PassiveServerTest, PushedFileStandsInTheServersLedger) {
  const LedgerView ledger(ledger_);
  const OsHandle file = FileWith("one");
  std::vector<OsHandle> files;
  files.push_back(*file.Duplicate());
  EXPECT_EQ(Collect(std::move(files),
                    [&] {
                      LetTheClientDuplicate();
                      EXPECT_EQ(Await(1).what, kActive);
                      const HandleRecord pushed = Await(2);
                      EXPECT_EQ(pushed.what, kPushed);
                      EXPECT_EQ(pushed.kind, kFile);
                      const OsHandle taken(ToNative(ledger[pushed.value].exchange(0)));
                      EXPECT_TRUE(SameFile(taken, file));
                      Reply({});
                    }),
            Status());
}

// T77.
TEST_P(PassiveServerTest, PseudoHandlesInResultsEndTheCall) {
  for (const uint64_t value : PseudoValues()) {
    EXPECT_TRUE(EndsWith(CallAnsweredWith(HandleRecord{kOffered, kFile, value}),
                         "is no OS handle of a process"))
        << value;
  }
}

// T78.
TEST_P(PassiveServerTest, NumbersOfTheClientAreRefused) {
  const OsHandle event = MakeEvent();
  for (const uint64_t value : {ValueOf(event), uint64_t{kFirstSlot}, uint64_t{0}, ~uint64_t{0}}) {
    EXPECT_TRUE(EndsWith(CallAnsweredWith(HandleRecord{kPushed, kEvent, value}), "not its part"));
    EXPECT_TRUE(IsOpen(event.get()));
  }
}

// T78.
TEST_P(PassiveServerTest, HandlesBeforeItIsSettledWhoDuplicatesAreRefused) {
  const OsHandle event = MakeEvent();
  for (const uint32_t what : {1U, 2U, 3U, 4U, 6U, 99U}) {
    Again();
    const auto serve = [&] {
      server_->Write(HelloFrame());
      Reply({{what, kEvent, ValueOf(event)}});
    };
    EXPECT_TRUE(EndsWith(Collect({}, serve), "not its part")) << what;
    EXPECT_TRUE(IsOpen(event.get()));
  }
}

// T79.
TEST_P(PassiveServerTest, WhatIsNoHandleOrOfAnotherKindIsRefused) {
  const OsHandle event = MakeEvent();
  const OsHandle section = MakeSection(4096);
  const OsPipe pipe = MakeOsPipe();
  for (const HandleRecord& record :
       {HandleRecord{kOffered, kFile, reinterpret_cast<uintptr_t>(NumberOfNothing())},
        HandleRecord{kOffered, kFile, 1}, HandleRecord{kOffered, kFile, ValueOf(event)},
        HandleRecord{kOffered, kEvent, ValueOf(section)},
        HandleRecord{kOffered, kSocket, ValueOf(section)},
        HandleRecord{kOffered, kSocket, ValueOf(pipe.reader)},
        HandleRecord{kOffered, 0, ValueOf(event)},
        HandleRecord{kOffered, kLastKind + 1, ValueOf(event)},
        HandleRecord{kOffered, ~0U, ValueOf(event)}}) {
    EXPECT_TRUE(EndsWith(CallAnsweredWith(record), "")) << record.kind << ' ' << record.value;
    EXPECT_TRUE(IsOpen(event.get()) && IsOpen(section.get()) && IsOpen(pipe.reader.get()));
  }
}

// T79: numbers of what the client itself uses, too.
TEST_P(PassiveServerTest, RandomNumbersAreAnsweredByAnErrorOrAHandleOfThatKind) {
  std::mt19937 random(1);
  for (int i = 0; i < 100; ++i) {
    const uint64_t value = i % 10 == 0 ? random() : random() % 0x400;
    const uint32_t kind = random() % (kLastKind + 2);
    const Status status = CallAnsweredWith(HandleRecord{kOffered, kind, value});
    EXPECT_TRUE(status.ok() || status.code() == StatusCode::kMalformed) << status;
    EXPECT_EQ(got_.size(), status.ok() ? 2U : 0U);
  }
}

// T80.
TEST_P(PassiveServerTest, ServerThatHangsUpInsteadOfAnAnswerEndsTheCall) {
  for (const bool reads : {false, true}) {
    Again();
    EXPECT_TRUE(Says(CollectOne([&] {
                       server_->Write(HelloFrame());
                       if (reads) Await(0);
                       server_->Close();
                     }),
                     StatusCode::kUnavailable, {}));
  }
}

// T80.
TEST_P(PassiveServerTest, WhatAServerDoesNotTakeIsTakenBack) {
  const LedgerView ledger(ledger_);
  EXPECT_TRUE(Says(CollectOne([&] {
                     LetTheClientDuplicate();
                     const HandleRecord pushed = Await(2);
                     EXPECT_EQ(pushed.what, kPushed);
                     EXPECT_NE(ledger[pushed.value], 0U);
                     server_->Close();
                   }),
                   StatusCode::kUnavailable, {"closed the connection"}));
  DropClient();
  ExpectNoHandlesInTheLedger();
}

// T80.
TEST_P(PassiveServerTest, ServerThatHasEndedIsNeitherPulledFromNorPushedInto) {
  const LedgerView ledger(ledger_);
  ledger[kEndedWord] = 1;
  const OsHandle event = MakeEvent();
  EXPECT_TRUE(Says(CallAnsweredWith(HandleRecord{kOffered, kEvent, ValueOf(event)}),
                   StatusCode::kUnavailable, {"the peer has ended the connection"}));
  Again();
  EXPECT_TRUE(Says(CollectOne([&] { LetTheClientDuplicate(); }), StatusCode::kUnavailable,
                   {"the peer has ended the connection"}));
  EXPECT_TRUE(StillWorks());
  ExpectNoHandlesInTheLedger();
}

// T80.
TEST_P(PassiveServerTest, SilenceInTheMiddleOfTheExchangeEndsAtTheDeadline) {
  for (int steps = 0; steps < 4; ++steps) {
    Again();
    options_.limits.call_timeout = kDeadline;
    const auto serve = [&] {
      if (steps > 0) server_->Write(HelloFrame());
      if (steps > 1) Await(0);
      // Which the side that accepted would have to follow up.
      if (steps > 2) Tell({kAsk, 0, ValueOf(ledger_)});
    };
    EXPECT_TRUE(Says(CollectOne(serve), StatusCode::kDeadlineExceeded, {"Sample.collect"}));
  }
}

// T80.
TEST_P(PassiveServerTest, WhatASilentServerMayStillTakeIsLeftToIt) {
  const LedgerView ledger(ledger_);
  options_.limits.call_timeout = kDeadline;
  uint64_t slot = 0;
  EXPECT_TRUE(Says(CollectOne([&] {
                     LetTheClientDuplicate();
                     slot = Await(2).value;
                   }),
                   StatusCode::kDeadlineExceeded, {"Sample.collect"}));
  DropClient();
  ASSERT_LT(slot, kLedgerWords);
  const OsHandle taken(ToNative(ledger[slot].exchange(0)));
  EXPECT_TRUE(IsOpen(taken.get()));
  ExpectNoHandlesInTheLedger();
}

TEST_P(PassiveServerTest, LedgerWithoutAFreeSlotFailsTheCallOnly) {
  const LedgerView ledger(ledger_);
  for (size_t i = kFirstSlot; i < kLedgerWords; ++i) ledger[i] = ~uint64_t{0};
  EXPECT_TRUE(Says(CollectOne([&] { LetTheClientDuplicate(); }), StatusCode::kResourceExhausted,
                   {"too many OS handles are on their way"}));
  EXPECT_TRUE(StillWorks());
}

TEST_P(PassiveServerTest, WhatIsNoLedgerIsNotOpened) {
  const OsHandle event = MakeEvent();
  const OsHandle small = MakeSection(4096);
  const OsHandle reserved = MakeSection(kLedgerBytes, PAGE_READWRITE | SEC_RESERVE);
  std::vector<uint64_t> values = PseudoValues();
  values.insert(values.end(), {ValueOf(event), ValueOf(small), ValueOf(reserved),
                               reinterpret_cast<uintptr_t>(NumberOfNothing())});
  for (const uint64_t value : values) {
    Again();
    EXPECT_TRUE(Says(CollectOne([&] {
                       server_->Write(HelloFrame());
                       EXPECT_EQ(Await(0).what, kAsk);
                       Tell({kCannot, 0, value});
                     }),
                     StatusCode::kFailedPrecondition, {"PROCESS_DUP_HANDLE"}))
        << value;
    EXPECT_TRUE(StillWorks());
    EXPECT_EQ(RecordOf(*server_, 1).what, kNone);
  }
}

// T81.
TEST_P(PassiveServerTest, RecordsThatAreNoAnswerToAQuestionEndTheCall) {
  for (const uint32_t what : {kCannot, kActive, kNone}) {
    Again();
    server_->Write(HelloFrame());
    Tell({what, 0, ValueOf(ledger_)});
    EXPECT_TRUE(EndsWith(Call(), "to no question")) << what;
  }
  Again();
  server_->Write(HelloFrame());
  for (int i = 0; i < 2; ++i) Tell({kAsk, 0, ValueOf(ledger_)});
  EXPECT_TRUE(EndsWith(Call(), "asks twice"));
}

// T81.
TEST_P(PassiveServerTest, RecordsOfNoKindEndTheCall) {
  const OsHandle event = MakeEvent();
  for (const uint32_t what : {0U, 1U, 2U, 8U, 99U, ~0U}) {
    Again();
    server_->Write(HelloFrame());
    Tell({what, kEvent, ValueOf(event)});
    EXPECT_TRUE(EndsWith(Call(), "record " + std::to_string(what))) << what;
    EXPECT_TRUE(IsOpen(event.get()));
  }
}

// T81.
TEST_P(PassiveServerTest, TakenHandlesThatWereNotOfferedStayOpen) {
  const OsHandle event = MakeEvent();
  server_->Write(HelloFrame());
  for (int i = 0; i < 3; ++i) Tell({kTaken, 0, ValueOf(event)});
  EXPECT_EQ(CallAfter(EchoReplyFrame(kFirstCallId, "text")), Status());
  EXPECT_TRUE(IsOpen(event.get()));
}

// On Windows much of what asks for a synchronous pipe waits for the end of a read of it that is
// under way in another process, for as long as that likes. In Wine nothing does. Only what is said
// to be a socket is asked for more than its type.
TEST_P(PassiveServerTest, PipeThatTheServerIsReadingDoesNotHoldUpTheClient) {
  const OsPipe pipe = MakeOsPipe();
  std::promise<void> reading;
  std::promise<void> called;
  std::thread reader([&] {
    reading.set_value();
    EXPECT_EQ(ReadSome(pipe.reader, 1), "x");
  });
  std::thread writer([&] {
    EXPECT_EQ(called.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
    EXPECT_TRUE(WriteAll(pipe.writer, "x"));
  });
  reading.get_future().wait();
  for (const uint32_t kind : {kFile, kSocket}) {
    const Status status = CallAnsweredWith(HandleRecord{kOffered, kind, ValueOf(pipe.reader)});
    EXPECT_EQ(status.code(), kind == kFile ? StatusCode::kOk : StatusCode::kMalformed);
  }
  got_.clear();
  called.set_value();
  reader.join();
  writer.join();
}

// T87.
TEST_P(PassiveServerTest, PowerOverProcessesIsRefusedWhereNoFieldAsksForIt) {
  for (const auto& [real, handle] : PowersOverProcesses()) {
    for (uint32_t said = 0; said <= kLastKind + 1; ++said) {
      const Status status = CallAnsweredWith(HandleRecord{kOffered, said, ValueOf(handle)});
      if (said == real) {
        EXPECT_TRUE(
            Says(status, StatusCode::kMalformed, {"items[1].file", "$Lwmsg.processHandle"}));
        EXPECT_TRUE(StillWorks());
      } else {
        EXPECT_TRUE(EndsWith(status, "as one of kind " + std::to_string(said)));
      }
      EXPECT_TRUE(IsOpen(handle.get()));
    }
  }
}

TEST_P(PassiveServerTest, HandlesThatNoInterfaceHasEndTheAssociation) {
  const OsHandle event = MakeEvent();
  const std::string reply = ReplyFrame(
      kFirstCallId, [](auto results) { results.template initAs<sample::Sample::EchoResults>(); },
      2);
  server_->Write(HelloFrame());
  Tell({kAsk, 0, ValueOf(ledger_)});
  const HandleRecord record = {kOffered, kEvent, ValueOf(event)};
  EXPECT_TRUE(Says(CallAfter(reply + RecordBytes({record, record})), StatusCode::kPermissionDenied,
                   {"2 OS handles"}));
}

TEST_P(PassiveServerTest, HandlesWhereTheResultsHaveNoneFailTheCallOnly) {
  const OsHandle event = MakeEvent();
  server_->Write(HelloFrame());
  Tell({kAsk, 0, ValueOf(ledger_)});
  server_->Write(ReplyFrame(
      kFirstCallId, [](auto results) { results.template initAs<sample::Sample::OpenResults>(); }));
  // From here on the server may have some to send.
  EXPECT_EQ(Finish(Sample().Open(), [](auto& /*reply*/) {}), Status());
  const std::string reply = ReplyFrame(
      kSecondCallId, [](auto results) { results.template initAs<sample::Sample::EchoResults>(); },
      2);
  const HandleRecord record = {kOffered, kEvent, ValueOf(event)};
  EXPECT_TRUE(Says(CallAfter(reply + RecordBytes({record, record})), StatusCode::kMalformed,
                   {"reply of Sample.echo", "2 OS handles", "no field for them"}));
  constexpr uint32_t kThirdCallId = 3U << 16;
  EXPECT_EQ(CallAfter(EchoReplyFrame(kThirdCallId, "text")), Status());
}

TEST_P(PassiveServerTest, HandlesThatNoFrameCountsEndTheAssociation) {
  const OsHandle event = MakeEvent();
  server_->Write(HelloFrame());
  Tell({kAsk, 0, ValueOf(ledger_)});
  const std::string reply = EchoReplyFrame(kFirstCallId, "text");
  EXPECT_EQ(CallAfter(reply + RecordBytes({{kOffered, kEvent, ValueOf(event)}})), Status());
  EXPECT_TRUE(Says(GoodbyeOfClient(), StatusCode::kMalformed, {"no lwmsg frame"}));
}

TEST_P(PassiveServerTest, MoreHandlesThanTheLimitEndTheCall) {
  const OsHandle event = MakeEvent();
  const std::vector<HandleRecord> records(17, {kOffered, kEvent, ValueOf(event)});
  EXPECT_TRUE(EndsWith(CallAnsweredWith(records), "Limits::max_frame_handles"));
}

}  // namespace
}  // namespace lwmsg::test
