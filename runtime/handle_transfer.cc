#include "runtime/handle_transfer.h"

#include <random>
#include <string>
#include <utility>

namespace lwmsg::internal {
namespace {

using Value = HandleDoor::Value;

// HandleRecord::what. On the wire; the numbers never change.
enum What : uint32_t {
  kPushed = 1,   // Of a handle. value: its slot in the ledger.
  kOffered = 2,  // Of a handle. value: its number in the sender's process.
  kTaken = 3,    // value: of an offered handle, which its owner need not keep any longer.
  kAsk = 4,      // value: the sender's ledger. kind: the nonce in it.
  kCannot = 5,   // The answer to kAsk: try yours. value and kind: as of kAsk.
  kActive = 6,   // The answer to either: this side opened your ledger.
  kNone = 7,     // The answer to kCannot: neither can.
};

// The first words of a ledger. What follows are slots; 0 is a free one.
constexpr size_t kProofWord = 0;
constexpr size_t kEndedWord = 1;
static_assert(HandleDoor::kNonceWord == 2);
constexpr size_t kFirstSlot = 3;
constexpr Value kProof = 0x4C574D5348415245;  // Written by whoever could open it.

// More than a peer that reads can leave waiting in a pipe's buffer.
constexpr size_t kMaxKept = 8192;

Status Malformed(std::string text) { return Status(StatusCode::kMalformed, std::move(text)); }

// Numbers that mean something else than an entry of a process's handle table: none, and the pseudo
// handles from -1 down, also as 32 bits, as handles are (this process, this thread, their tokens,
// and what else may be meant in future). Handle numbers are small.
bool IsPseudo(Value value) { return value == 0 || value > 0x7FFFFFFF; }

}  // namespace

HandleTransfer::HandleTransfer(std::unique_ptr<HandleDoor> door, bool accepted)
    : door_(std::move(door)), accepted_(accepted) {}

// --- Who duplicates.

void HandleTransfer::Ask(uint32_t what) {
  if (!own_ledger_.valid()) {
    if (auto made = door_->MakeLedger()) {
      own_ledger_ = std::move(*made);
      door_->ledger()[HandleDoor::kNonceWord] = std::random_device()();
    }
  }
  HandleRecord question{.what = what};
  // Without a ledger there is none to open: the peer will say so.
  if (own_ledger_.valid()) {
    question.kind = static_cast<uint32_t>(door_->ledger()[HandleDoor::kNonceWord]);
    question.value = ValueOf(own_ledger_);
  }
  control_.push_back(question);
  role_ = Role::kAsked;
}

bool HandleTransfer::TryToBeActive(const HandleRecord& record) {
  tried_ = true;
  if (IsPseudo(record.value) || !door_->OpenLedger(record.value, record.kind).ok()) return false;
  door_->ledger()[kProofWord] = kProof;
  role_ = Role::kActive;
  control_.push_back({kActive, 0, 0});
  return true;
}

Status HandleTransfer::OnAsked(const HandleRecord& record) {
  // Both asked: the side that accepted tries, the other's answer is on its way.
  if (role_ == Role::kAsked && !accepted_ && !tried_) return Status();
  if (tried_ || role_ == Role::kActive || role_ == Role::kPassive || role_ == Role::kNone) {
    return Malformed("the peer asks twice who duplicates OS handles");
  }
  if (!TryToBeActive(record)) Ask(kCannot);
  return Status();
}

Status HandleTransfer::OnCannot(const HandleRecord& record) {
  if (role_ != Role::kAsked || tried_) {
    return Malformed("an answer about OS handles to no question");
  }
  if (TryToBeActive(record)) return Status();
  control_.push_back({kNone, 0, 0});
  role_ = Role::kNone;
  return Status();
}

Status HandleTransfer::Settle(Role role) {
  if (role_ != Role::kAsked) return Malformed("an answer about OS handles to no question");
  if (role == Role::kPassive && (!own_ledger_.valid() || door_->ledger()[kProofWord] != kProof)) {
    return Malformed(
        "the peer says that it may duplicate OS handles of this process, but has not shown it");
  }
  role_ = role;
  // Both have it in their memory.
  if (own_ledger_.valid()) door_->Close(std::move(own_ledger_));
  return Status();
}

Status HandleTransfer::Control(std::span<const HandleRecord> records) {
  for (const HandleRecord& record : records) {
    Status status = ControlOne(record);
    if (status.ok()) continue;
    // No answer will come, and what waits for one shall not hold up the goodbye behind it.
    if (role_ == Role::kAsked) role_ = Role::kNone;
    return status;
  }
  return Status();
}

Status HandleTransfer::ControlOne(const HandleRecord& record) {
  switch (record.what) {
    case kTaken:
      if (auto kept = kept_.extract(record.value)) door_->Close(std::move(kept.mapped()));
      return Status();
    case kAsk:
      return OnAsked(record);
    case kCannot:
      return OnCannot(record);
    case kActive:
      return Settle(Role::kPassive);
    case kNone:
      return Settle(Role::kNone);
    default:
      return Malformed("record " + std::to_string(record.what) + " about OS handles is of no kind");
  }
}

std::vector<HandleRecord> HandleTransfer::TakeControl() { return std::exchange(control_, {}); }

// --- Sending.

Result<std::optional<std::vector<HandleRecord>>> HandleTransfer::Send(std::span<OsHandle> handles) {
  switch (role_) {
    case Role::kUnsettled:
      Ask(kAsk);
      [[fallthrough]];
    case Role::kAsked:
      return std::optional<std::vector<HandleRecord>>();
    case Role::kNone:
      return Error(
          StatusCode::kFailedPrecondition,
          "OS handles cannot be passed to this peer: neither process may duplicate handles "
          "of the other (PROCESS_DUP_HANDLE); run one of them as the same user or with more "
          "rights");
    case Role::kActive:
    case Role::kPassive:
      break;
  }
  if (kept_.size() >= kMaxKept) {
    return Error(StatusCode::kResourceExhausted,
                 "the peer has not taken " + std::to_string(kMaxKept) + " OS handles");
  }
  std::vector<HandleRecord> records;
  records.reserve(handles.size());
  for (const OsHandle& handle : handles) {
    auto record = SendOne(handle);
    if (!record) {
      // In the ledger the peer shall see nothing of this message.
      for (const HandleRecord& sent : records) {
        if (sent.what == kPushed) TakeBack(door_->ledger()[sent.value]);
      }
      return Error(std::move(record).error());
    }
    records.push_back(*record);
  }
  for (OsHandle& handle : handles) {
    if (role_ == Role::kActive) {
      door_->Close(std::move(handle));
    } else {
      const Value own = ValueOf(handle);
      kept_.emplace(own, std::move(handle));
    }
  }
  return std::optional(std::move(records));
}

Result<HandleRecord> HandleTransfer::SendOne(const OsHandle& own) {
  auto kind = door_->KindOf(own);
  if (!kind) return Error(std::move(kind).error());
  if (role_ == Role::kActive) return PushOne(*kind, own);
  return HandleRecord{kOffered, static_cast<uint32_t>(*kind), ValueOf(own)};
}

Result<HandleRecord> HandleTransfer::PushOne(HandleKind kind, const OsHandle& own) {
  std::atomic<Value>* slot = FreeSlot();
  if (slot == nullptr) {
    return Error(StatusCode::kResourceExhausted,
                 "too many OS handles are on their way to the peer");
  }
  if (Status status = door_->Push(own, *slot); !status.ok()) return Error(std::move(status));
  // What the system wrote to the slot is seen by a peer whose end is not seen below.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const auto ledger = door_->ledger();
  if (ledger[kEndedWord] != 0) {
    // It may have looked through its slots before this one was filled.
    TakeBack(*slot);
    return Error(StatusCode::kUnavailable, "the peer has ended the connection");
  }
  return HandleRecord{kPushed, static_cast<uint32_t>(kind),
                      static_cast<Value>(slot - ledger.data())};
}

void HandleTransfer::TakeBack(std::atomic<Value>& slot) {
  const Value their = slot.exchange(0);
  if (!IsPseudo(their)) door_->CloseTheirs(their);
}

std::atomic<Value>* HandleTransfer::FreeSlot() {
  const auto slots = door_->ledger().subspan(kFirstSlot);
  for (size_t tried = 0; tried < slots.size(); ++tried) {
    std::atomic<Value>& slot = slots[next_slot_++ % slots.size()];
    if (slot == 0) return &slot;
  }
  return nullptr;
}

// --- Receiving.

Result<std::vector<OsHandle>> HandleTransfer::Receive(std::span<const HandleRecord> records) {
  // Each offered handle is answered, and the answers wait for a peer that reads them.
  if (control_.size() > kMaxKept) {
    return Error(StatusCode::kResourceExhausted,
                 "the peer passes OS handles but does not read the answers to " +
                     std::to_string(kMaxKept) + " of them");
  }
  std::vector<OsHandle> handles;
  handles.reserve(records.size());
  Status failure;
  // All of them, also behind a bad one: the slots must not stay filled.
  for (const HandleRecord& record : records) {
    auto handle = ReceiveOne(record);
    if (handle) {
      handles.push_back(std::move(*handle));
    } else if (failure.ok()) {
      failure = std::move(handle).error();
    }
  }
  if (failure.ok()) return handles;
  for (OsHandle& handle : handles) door_->Close(std::move(handle));
  return Error(std::move(failure));
}

Result<OsHandle> HandleTransfer::ReceiveOne(const HandleRecord& record) {
  const bool pushed = record.what == kPushed && role_ == Role::kPassive;
  const bool offered = record.what == kOffered && role_ == Role::kActive;
  if (!pushed && !offered) {
    return Error(Malformed("the peer passes an OS handle in a way that is not its part"));
  }
  auto own = pushed ? TakePushed(record.value) : PullOffered(record.value);
  if (own) own = CheckKind(record, std::move(*own));
  if (offered) control_.push_back({kTaken, 0, record.value});
  return own;
}

Result<OsHandle> HandleTransfer::TakePushed(Value slot) {
  const auto ledger = door_->ledger();
  if (slot < kFirstSlot || slot >= ledger.size()) {
    return Error(Malformed("slot " + std::to_string(slot) + " of OS handles does not exist"));
  }
  const Value own = ledger[slot].exchange(0);
  if (IsPseudo(own)) {
    return Error(Malformed("slot " + std::to_string(slot) + " holds no OS handle but " +
                           std::to_string(own)));
  }
  return OwnerOf(own);
}

Result<OsHandle> HandleTransfer::PullOffered(Value their) {
  if (IsPseudo(their)) {
    return Error(Malformed("the peer offers " + std::to_string(their) +
                           ", which is no OS handle of a process"));
  }
  auto own = door_->Pull(their);
  if (door_->ledger()[kEndedWord] == 0) return own;
  // The number may have meant something else by then.
  if (own) door_->Close(std::move(*own));
  return Error(StatusCode::kUnavailable, "the peer has ended the connection");
}

Result<OsHandle> HandleTransfer::CheckKind(const HandleRecord& record, OsHandle own) {
  const auto kind = door_->KindOf(own);
  if (!kind) {
    door_->Close(std::move(own));
    return Error(Malformed("the peer passes what must not be passed: " + kind.error().message()));
  }
  if (*kind == HandleKind::kFile && record.kind == static_cast<uint32_t>(HandleKind::kSocket)) {
    return door_->AdoptSocket(std::move(own));
  }
  if (static_cast<uint32_t>(*kind) == record.kind) return own;
  door_->Close(std::move(own));
  return Error(Malformed("the peer passes an OS handle of kind " +
                         std::to_string(static_cast<uint32_t>(*kind)) + " as one of kind " +
                         std::to_string(record.kind)));
}

// --- The end.

void HandleTransfer::End(bool peer_has_ended) {
  if (std::exchange(ended_, true)) return;
  const auto ledger = door_->ledger();
  if (!ledger.empty()) {
    if (role_ != Role::kActive) ledger[kEndedWord] = 1;
    if (role_ != Role::kActive || peer_has_ended) SweepSlots();
  }
  for (auto& [number, own] : kept_) door_->Close(std::move(own));
  kept_.clear();
  if (own_ledger_.valid()) door_->Close(std::move(own_ledger_));
}

void HandleTransfer::SweepSlots() {
  for (std::atomic<Value>& slot : door_->ledger().subspan(kFirstSlot)) {
    if (slot == 0) continue;
    if (role_ == Role::kActive) {
      TakeBack(slot);
    } else if (const Value own = slot.exchange(0); !IsPseudo(own)) {
      door_->Close(OwnerOf(own));
    }
  }
}

}  // namespace lwmsg::internal
