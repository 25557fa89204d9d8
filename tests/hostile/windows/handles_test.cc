#include <windows.h>

#include "tests/hostile/fixture.h"
#include "tests/hostile/windows/raw_handles.h"

// Peers that lie about OS handles: about whose they are, what they are, and who may duplicate. They
// are in the server's process, so that every number that is one of theirs is one of the server's
// too; the inventory at the end shows that none was closed or kept.
namespace lwmsg::test {
namespace {

class HostileHandlesTest : public HostilePeerTest {
 protected:
  HostileHandlesTest() { Serve(); }

  RawPeer ConnectForHandles() {
    RawPeer peer = ConnectAndGreet();
    peer.ReadRecordsOf(internal::kHandleRecordBytes);
    return peer;
  }
  // The `i`-th record that the server sent.
  HandleRecord RecordTo(RawPeer& peer, size_t i) {
    RunUntil([&] {
      peer.Read();
      return HasRecord(peer, i) || peer.ended();
    });
    return RecordOf(peer, i);
  }
  // A peer whose ledger is `ledger_`: the server duplicates.
  RawPeer ConnectPassive() {
    RawPeer peer = ConnectForHandles();
    peer.Write(ControlFrame({kAsk, 0, ValueOf(ledger_)}));
    EXPECT_EQ(RecordTo(peer, 0).what, kActive);
    return peer;
  }
  // Call 9, with this one handle and another good one.
  void GiveTwo(RawPeer& peer, const HandleRecord& record) {
    peer.Write(GiveFrame(9, 1, 2, 2) + RecordBytes({{kOffered, kFile, ValueOf(good_)}, record}));
  }
  std::optional<Status> GoodbyeAfter(RawPeer& peer, const HandleRecord& record) {
    GiveTwo(peer, record);
    return GoodbyeTo(peer);
  }
  // A peer that duplicates: opens the server's ledger as an lwmsg peer would.
  RawPeer ConnectActive(OsHandle& ledger) {
    RawPeer peer = ConnectForHandles();
    AskForAFile(peer);
    const HandleRecord asked = RecordTo(peer, 0);
    EXPECT_EQ(asked.what, kAsk);
    HANDLE copy = nullptr;
    EXPECT_TRUE(DuplicateHandle(GetCurrentProcess(), ToNative(asked.value), GetCurrentProcess(),
                                &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
    ledger = OsHandle(copy);
    return peer;
  }
  void AskForAFile(RawPeer& peer) {
    peer.Write(CallFrame(8, kOpen, [](auto params) {
      params.template initAs<sample::Sample::OpenParams>().setPath(NullPath());
    }));
  }

  static constexpr uint16_t kOpen = 1;
  OsHandle ledger_ = MakeSection(kLedgerBytes);
  const OsHandle good_ = OpenNull();
};

TEST_F(HostileHandlesTest, OfferedFileArrives) {
  RawPeer peer = ConnectPassive();
  const OsHandle file = FileWith("one");
  const OsHandle other = FileWith("two");
  peer.Write(GiveFrame(9, 1, 2, 2) +
             RecordBytes({{kOffered, kFile, ValueOf(file)}, {kOffered, kFile, ValueOf(other)}}));
  EXPECT_EQ(AnswerTo(peer, 9), Status());
  EXPECT_EQ(RecordTo(peer, 1), (HandleRecord{kTaken, 0, ValueOf(file)}));
  EXPECT_EQ(RecordTo(peer, 2), (HandleRecord{kTaken, 0, ValueOf(other)}));
}

// T77.
TEST_F(HostileHandlesTest, PseudoHandlesAreRefused) {
  for (const uint64_t value : PseudoValues()) {
    RawPeer peer = ConnectPassive();
    EXPECT_TRUE(Says(GoodbyeAfter(peer, {kOffered, kFile, value}), StatusCode::kMalformed,
                     {"is no OS handle of a process"}))
        << value;
  }
}

// T78.
TEST_F(HostileHandlesTest, NumbersOfTheReceiverAreRefused) {
  const OsHandle event = MakeEvent();
  RawPeer peer = ConnectPassive();
  EXPECT_TRUE(Says(GoodbyeAfter(peer, {kPushed, kEvent, ValueOf(event)}), StatusCode::kMalformed,
                   {"not its part"}));
  EXPECT_TRUE(IsOpen(event.get()));
}

// T79.
TEST_F(HostileHandlesTest, WhatIsNoHandleOrOfAnotherKindIsRefused) {
  const OsHandle event = MakeEvent();
  const OsHandle section = MakeSection(4096);
  for (const HandleRecord& record :
       {HandleRecord{kOffered, kFile, reinterpret_cast<uintptr_t>(NumberOfNothing())},
        HandleRecord{kOffered, kFile, 0x7FFFFFFC}, HandleRecord{kOffered, kFile, ValueOf(event)},
        HandleRecord{kOffered, kEvent, ValueOf(section)},
        HandleRecord{kOffered, kSocket, ValueOf(section)},
        HandleRecord{kOffered, kSocket, ValueOf(event)}, HandleRecord{kOffered, 0, ValueOf(event)},
        HandleRecord{kOffered, 99, ValueOf(event)}}) {
    RawPeer peer = ConnectPassive();
    EXPECT_TRUE(Says(GoodbyeAfter(peer, record), StatusCode::kMalformed, {})) << record.value;
    EXPECT_TRUE(IsOpen(event.get()) && IsOpen(section.get()));
  }
}

// A description that names a handle of whoever opens it, as WSADuplicateSocket would make one.
TEST_F(HostileHandlesTest, APipeOrADescriptionIsNoSocket) {
  const OsPipe pipe = MakeOsPipe();
  RawPeer peer = ConnectPassive();
  EXPECT_TRUE(Says(GoodbyeAfter(peer, {kOffered, kSocket, ValueOf(pipe.reader)}),
                   StatusCode::kMalformed, {"as a socket what is none"}));
  EXPECT_TRUE(IsOpen(pipe.reader.get()));
}

// T80.
TEST_F(HostileHandlesTest, WhatAPeerDoesNotTakeIsTakenBack) {
  const LedgerView ledger(ledger_);
  {
    RawPeer peer = ConnectPassive();
    AskForAFile(peer);
    const HandleRecord pushed = RecordTo(peer, 1);
    ASSERT_EQ(pushed.what, kPushed);
    EXPECT_NE(ledger[pushed.value], 0U);
  }
  RunUntil([&] { return AttackersAreGone(); });
  for (size_t i = kFirstSlot; i < kLedgerWords; ++i) ASSERT_EQ(ledger[i], 0U);
}

// T81.
TEST_F(HostileHandlesTest, WhoClaimsToDuplicateHasToShowIt) {
  RawPeer peer = ConnectForHandles();
  AskForAFile(peer);
  EXPECT_EQ(RecordTo(peer, 0).what, kAsk);
  peer.Write(ControlFrame({kActive, 0, 0}));
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"has not shown it"}));
}

TEST_F(HostileHandlesTest, WhoShowsItGetsHandlesButGivesNoneThatAreNotThere) {
  OsHandle section;
  RawPeer peer = ConnectActive(section);
  const LedgerView ledger(section);
  ledger[kProofWord] = kProof;
  peer.Write(ControlFrame({kActive, 0, 0}));
  const HandleRecord offered = RecordTo(peer, 1);
  EXPECT_EQ(offered.what, kOffered);
  // Twice, and what was not offered.
  for (const uint64_t value : {offered.value, offered.value, ValueOf(ledger_)}) {
    peer.Write(ControlFrame({kTaken, 0, value}));
  }
  EXPECT_EQ(Echo(peer, 10), Status());
  EXPECT_TRUE(IsOpen(ledger_.get()));
  peer.Write(GiveFrame(9, 1, 2, 2) + RecordBytes({{kPushed, kFile, 5}, {kPushed, kFile, 1 << 20}}));
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"slot 5 holds no OS handle"}));
}

// T87.
TEST_F(HostileHandlesTest, PowerOverProcessesIsRefusedWhereNoFieldAsksForIt) {
  for (const auto& [real, handle] : PowersOverProcesses()) {
    for (uint32_t said = 0; said <= kLastKind + 1; ++said) {
      const HandleRecord record{kOffered, said, ValueOf(handle)};
      RawPeer peer = ConnectPassive();
      if (said == real) {
        GiveTwo(peer, record);
        EXPECT_TRUE(Says(AnswerTo(peer, 9), StatusCode::kMalformed,
                         {"second: a handle of a process, thread, token or job"}));
        EXPECT_EQ(Echo(peer, 10), Status());
      } else {
        EXPECT_TRUE(Says(GoodbyeAfter(peer, record), StatusCode::kMalformed, {}));
      }
    }
  }
}

TEST_F(HostileHandlesTest, WhatIsNoLedgerIsNotOpened) {
  const OsHandle event = MakeEvent();
  const OsHandle small = MakeSection(4096);
  const OsHandle reserved = MakeSection(kLedgerBytes, PAGE_READWRITE | SEC_RESERVE);
  const OsHandle other = MakeSection(kLedgerBytes);
  LedgerView{other}[kNonceWord] = 7;
  for (const uint64_t value :
       {ValueOf(event), ValueOf(small), ValueOf(reserved), ValueOf(other), uint64_t{0},
        ~uint64_t{0}, uint64_t{0xFFFFFFFF}, uint64_t{0x7FFFFFFC}}) {
    RawPeer peer = ConnectForHandles();
    peer.Write(ControlFrame({kAsk, 0, value}));
    EXPECT_EQ(RecordTo(peer, 0).what, kCannot) << value;
    // Neither can then; all else works.
    peer.Write(ControlFrame({kNone, 0, 0}));
    AskForAFile(peer);
    EXPECT_EQ(AnswerTo(peer, 8)->code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(Echo(peer, 10), Status());
  }
}

TEST_F(HostileHandlesTest, ForeignNumbersInTheLedgerAreNotTheServersToClose) {
  // All of them are this process's, which is the peer's here: only what is no handle is left alone.
  const LedgerView ledger(ledger_);
  {
    RawPeer peer = ConnectPassive();
    for (size_t i = kFirstSlot; i < 40; ++i) {
      ledger[i] = static_cast<uint64_t>(-static_cast<int64_t>(i - kFirstSlot));
    }
    EXPECT_EQ(Echo(peer, 10), Status());
  }
  RunUntil([&] { return AttackersAreGone(); });
}

}  // namespace
}  // namespace lwmsg::test
