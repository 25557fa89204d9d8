#include "tests/runtime/two_processes.h"

#include <utility>

namespace lwmsg::test {
namespace {

using internal::OwnerOf;
using internal::ValueOf;
using Owner = FakeHandle::Owner;

// Beyond what either test process has open itself.
constexpr Value kFirstNumber = 0x100000;

Status Refused() { return Status(StatusCode::kInternal, "the test lets this call fail"); }

}  // namespace

// --- A process.

Value FakeProcess::Add(FakeHandle handle) {
  Value number = kFirstNumber;
  for (auto taken = table.begin(); taken != table.end() && taken->first == number; ++taken) {
    number += 4;
  }
  table.emplace(number, std::move(handle));
  return number;
}

Value FakeProcess::Open(std::optional<HandleKind> kind) {
  auto object = std::make_shared<FakeObject>();
  object->kind = kind;
  return Add({std::move(object)});
}

void FakeProcess::Kill() {
  alive = false;
  table.clear();
}

// --- Its calls.

template <typename Call>
auto FakeDoor::Step(Call call) {
  const int step = own_.steps++;
  if (step == own_.kill_before) throw Killed();
  auto result = call(step != own_.fail_at);
  if (step == own_.kill_after) throw Killed();
  return result;
}

void FakeDoor::Remove(FakeProcess& process, Value value) {
  const auto found = process.table.find(value);
  if (found == process.table.end()) {
    ADD_FAILURE() << "handle " << value << " is closed, but not open";
    return;
  }
  EXPECT_EQ(found->second.owner, Owner::kTransfer) << "handle " << value << " is the program's";
  process.table.erase(found);
}

Result<HandleKind> FakeDoor::KindOf(const OsHandle& own) {
  return Step([&](bool works) -> Result<HandleKind> {
    const auto found = own_.table.find(ValueOf(own));
    if (!works || found == own_.table.end()) return Error(StatusCode::kMalformed, "no handle");
    const auto kind = found->second.object->kind;
    if (!kind) return Error(StatusCode::kPermissionDenied, "of a kind that is not passed");
    return found->second.raw ? HandleKind::kFile : *kind;
  });
}

void FakeDoor::Close(OsHandle own) {
  const Value value = ValueOf(own);
  static_cast<void>(own.Release());
  if (!own_.alive) return;
  Step([&](bool /*works*/) {
    Remove(own_, value);
    return 0;
  });
}

Result<OsHandle> FakeDoor::AdoptSocket(OsHandle own) {
  const Value value = ValueOf(own);
  static_cast<void>(own.Release());
  return Step([&](bool works) -> Result<OsHandle> {
    FakeHandle handle = own_.table.at(value);
    Remove(own_, value);
    if (!works || handle.object->kind != HandleKind::kSocket) {
      return Error(StatusCode::kMalformed, "no socket");
    }
    handle.raw = false;
    // Another number than before.
    const Value other = own_.Add({});
    const Value adopted = own_.Add(std::move(handle));
    own_.table.erase(other);
    return OwnerOf(adopted);
  });
}

Result<OsHandle> FakeDoor::Pull(Value their) {
  return Step([&](bool works) -> Result<OsHandle> {
    EXPECT_TRUE(own_.may_duplicate);
    const auto found = their_.table.find(their);
    if (!works || found == their_.table.end()) return Error(StatusCode::kMalformed, "not there");
    const auto& object = found->second.object;
    return OwnerOf(own_.Add({object, Owner::kTransfer, object->kind == HandleKind::kSocket}));
  });
}

Status FakeDoor::Push(const OsHandle& own, std::atomic<Value>& their) {
  return Step([&](bool works) {
    EXPECT_TRUE(own_.may_duplicate);
    if (!works || !their_.alive) return Refused();
    const auto object = own_.table.at(ValueOf(own)).object;
    their = their_.Add({object, Owner::kTransfer, object->kind == HandleKind::kSocket});
    return Status();
  });
}

void FakeDoor::CloseTheirs(Value their) {
  own_.lost = their;
  Step([&](bool /*works*/) {
    own_.lost = 0;
    EXPECT_TRUE(own_.may_duplicate);
    if (their_.alive) Remove(their_, their);
    return 0;
  });
}

Result<OsHandle> FakeDoor::MakeLedger() {
  return Step([&](bool works) -> Result<OsHandle> {
    if (!works) return Error(Refused());
    ledger_ = std::make_shared<FakeObject>();
    ledger_->kind = HandleKind::kSection;
    own_.ledger = ledger_;
    return OwnerOf(own_.Add({ledger_, Owner::kTransfer}));
  });
}

Status FakeDoor::OpenLedger(Value their, Value nonce) {
  return Step([&](bool works) {
    const auto found = their_.table.find(their);
    if (!works || !own_.may_duplicate || found == their_.table.end() ||
        found->second.object->kind != HandleKind::kSection ||
        found->second.object->ledger[kNonceWord] != nonce) {
      return Refused();
    }
    ledger_ = found->second.object;
    return Status();
  });
}

std::span<std::atomic<Value>> FakeDoor::ledger() {
  if (ledger_ == nullptr || !own_.alive) return {};
  return ledger_->ledger;
}

// --- The connection.

void TwoProcesses::Reset() {
  End();
  for (FakeSide* side : {&a_, &b_}) side->transfer.reset();
  a_ = FakeSide();
  b_ = FakeSide();
}

void TwoProcesses::Connect(bool a_may_duplicate, bool b_may_duplicate) {
  a_.process.may_duplicate = a_may_duplicate;
  b_.process.may_duplicate = b_may_duplicate;
  for (FakeSide* side : {&a_, &b_}) {
    // What must stay as it is.
    for (int i = 0; i < 3; ++i) side->process.Open(HandleKind::kFile);
    side->transfer = std::make_unique<internal::HandleTransfer>(
        std::make_unique<FakeDoor>(side->process, Other(*side).process), side == &a_);
  }
}

void TwoProcesses::Post(FakeSide& from, const std::vector<std::optional<HandleKind>>& kinds) {
  std::vector<Value> message;
  for (const auto& kind : kinds) message.push_back(from.process.Open(kind));
  from.outbox.push_back(std::move(message));
}

void TwoProcesses::Inject(FakeSide& to, bool control, const std::vector<HandleRecord>& records) {
  std::vector<std::byte> bytes;
  for (const HandleRecord& record : records) internal::AppendRecord(record, bytes);
  to.inbox.push_back({control, std::move(bytes)});
}

void TwoProcesses::Send(FakeSide& from) {
  if (from.hung_up) return;
  As(from, [&] {
    const auto send_control = [&] {
      if (!from.transfer->has_control()) return;
      Inject(Other(from), true, from.transfer->TakeControl());
    };
    send_control();
    while (!from.outbox.empty()) {
      std::vector<OsHandle> handles;
      for (const Value value : from.outbox.front()) {
        from.process.table.at(value).owner = Owner::kTransfer;
        handles.push_back(OwnerOf(value));
      }
      const auto records = from.transfer->Send(handles);
      const bool taken = records && *records;
      for (OsHandle& handle : handles) {
        EXPECT_EQ(handle.valid(), !taken);
        static_cast<void>(handle.Release());
      }
      send_control();
      if (!taken) {
        for (const Value value : from.outbox.front()) {
          const auto found = from.process.table.find(value);
          ASSERT_NE(found, from.process.table.end()) << "was taken, but did not go";
          found->second.owner = Owner::kProgram;
        }
      }
      if (records && !*records) return;
      if (!records) from.unsent.push_back(records.error());
      from.outbox.pop_front();
      if (taken) Inject(Other(from), false, **records);
    }
  });
}

void TwoProcesses::ReceiveOne(FakeSide& to) {
  const FakeSide::Wire wire = std::move(to.inbox.front());
  to.inbox.pop_front();
  if (to.hung_up) return;
  As(to, [&] {
    std::vector<HandleRecord> records;
    constexpr size_t kBytes = internal::kHandleRecordBytes;
    for (size_t at = 0; at < wire.bytes.size(); at += kBytes) {
      records.push_back(internal::ParseRecord(std::span(wire.bytes).subspan(at).first<kBytes>()));
    }
    if (wire.control) {
      if (Status status = to.transfer->Control(records); !status.ok()) to.end = status;
    } else if (auto handles = to.transfer->Receive(records); handles) {
      std::vector<Value> values;
      for (OsHandle& handle : *handles) {
        const Value value = ValueOf(handle);
        static_cast<void>(handle.Release());
        to.process.table.at(value).owner = Owner::kProgram;
        values.push_back(value);
      }
      to.received.push_back(std::move(values));
    } else {
      to.end = handles.error();
    }
  });
  if (to.end) HangUp(to);
}

void TwoProcesses::Receive(FakeSide& to) {
  while (!to.inbox.empty()) ReceiveOne(to);
}

void TwoProcesses::Run() {
  // Nobody needs more turns than this to settle who duplicates.
  for (int turn = 0; turn < 6; ++turn) {
    for (FakeSide* side : {&a_, &b_}) {
      Send(*side);
      Receive(Other(*side));
    }
  }
  EXPECT_TRUE(a_.inbox.empty() && b_.inbox.empty());
}

void TwoProcesses::HangUp(FakeSide& side) {
  if (std::exchange(side.hung_up, true)) return;
  FakeSide& other = Other(side);
  As(side, [&] {
    if (side.transfer != nullptr) side.transfer->End(other.hung_up || !other.process.alive);
  });
}

void TwoProcesses::End() {
  for (FakeSide* side : {&a_, &b_}) {
    Receive(*side);
    HangUp(*side);
  }
}

void TwoProcesses::ExpectClean() {
  End();
  ExpectClean(a_);
  ExpectClean(b_);
}

void TwoProcesses::ExpectClean(FakeSide& side) {
  for (const auto& [number, handle] : side.process.table) {
    if (number == Other(side).process.lost) continue;
    EXPECT_EQ(handle.owner, Owner::kProgram) << "handle " << number << " was forgotten";
    EXPECT_FALSE(handle.raw) << "handle " << number << " is a socket that cannot be used";
  }
  for (const auto& message : side.received) {
    for (const Value value : message) {
      EXPECT_TRUE(!side.process.alive || side.process.table.contains(value)) << value;
    }
  }
}

}  // namespace lwmsg::test
