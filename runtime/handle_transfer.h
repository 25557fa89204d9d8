#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"
#include "runtime/handle_record.h"

namespace lwmsg::internal {

// What an OS handle is, as both sides must see it. On the wire; the numbers never change.
enum class HandleKind : uint32_t {
  // Also a pipe, a device or a folder. What tells them apart (GetFileType) waits for the handle's
  // user if it is synchronous, and a peer could let a read of it hang for ever.
  kFile = 1,
  kSection = 3,
  kEvent = 4,
  kMutex = 5,
  kSemaphore = 6,
  kTimer = 7,
  kKey = 8,
  kSocket = 9,
  // Power over a process. Passed, but only a field that asks for such a handle takes it
  // (OsHandle::ControlsProcess).
  kProcess = 10,
  kThread = 11,
  kToken = 12,
  kJob = 13,
};

// The calls that move handles between this process and one other: `own` ones of this process,
// `their` ones, as numbers, of the other. No function trusts a number that the peer said.
class HandleDoor {
 public:
  using Value = uint64_t;

  virtual ~HandleDoor() = default;

  // Error: kPermissionDenied for what is no HandleKind, kMalformed for what is no handle.
  virtual Result<HandleKind> KindOf(const OsHandle& own) = 0;
  virtual void Close(OsHandle own) = 0;
  // Of a handle that the other process passed as a socket's, and which is a file's until then: one
  // that works as a socket here. Error: kMalformed if it is none.
  virtual Result<OsHandle> AdoptSocket(OsHandle own) = 0;

  // With the right to duplicate handles of the other process:
  // A handle here for the same object, with the same access; theirs stays.
  virtual Result<OsHandle> Pull(Value their) = 0;
  // A handle there for the same object, with the same access; `their` gets its number in the same
  // call that makes it.
  virtual Status Push(const OsHandle& own, std::atomic<Value>& their) = 0;
  virtual void CloseTheirs(Value their) = 0;

  // The ledger: memory of both processes. One makes it, the other opens it by the maker's handle,
  // which takes the right to duplicate. Error of OpenLedger: kPermissionDenied without that right,
  // or if what has the number has not `nonce` in its kNonceWord: nothing is written to it then.
  static constexpr size_t kNonceWord = 2;
  virtual Result<OsHandle> MakeLedger() = 0;
  virtual Status OpenLedger(Value their, Value nonce) = 0;
  virtual std::span<std::atomic<Value>> ledger() = 0;
};

// Who owns which handle at each step of its way to the peer; one for each connection. Knows no
// system call. Not thread-safe.
//
// One side, the active one, does the duplicating in both directions. Which one, both find out when
// the first message with handles is to be sent: a side asks by the number of its ledger; who can
// open that has shown that it may duplicate, and so could take anything from that process anyway.
// What a peer merely says settles nothing. A ledger that its maker has closed meanwhile is not
// opened: what has its number then has not the nonce in it that was told with the number.
//
// A handle to the passive side is pushed: its number stands in a slot of the ledger from the very
// call that makes it until somebody takes it out, and whoever takes it out owns it: the passive
// side when the frame arrives or the connection ends, the active side when the frame cannot go. If
// the active process is killed the passive one still finds what is in the slots; what was in none
// any more, as the active one was about to close it, stays open.
//
// A handle to the active side is offered: it stays the passive side's, open, until the active side
// says that it has one of its own, or the connection ends. So each number is closed only by the
// process that it belongs to, or out of a slot.
//
// Sockets go like files. No description by WSADuplicateSocket is taken from a peer: it names a
// handle of the process that opens it, which could be any that this one has.
class HandleTransfer final : public HandleRecords {
 public:
  // `accepted`: this side accepted the connection; if both ask at a time, it is the one that tries.
  HandleTransfer(std::unique_ptr<HandleDoor> door, bool accepted);
  HandleTransfer(const HandleTransfer&) = delete;
  HandleTransfer& operator=(const HandleTransfer&) = delete;
  ~HandleTransfer() { End(true); }

  // Sends `handles`: gives the records that follow the message. Nothing: who duplicates is not
  // settled; try again when something was received. Takes the handles only if it gives records;
  // then all of them.
  // Error: kFailedPrecondition if neither side may duplicate, kPermissionDenied for a handle that
  // must not be sent, kResourceExhausted.
  Result<std::optional<std::vector<HandleRecord>>> Send(std::span<OsHandle> handles);
  // What must go out in a frame without a body before anything else; empties it.
  std::vector<HandleRecord> TakeControl();
  bool has_control() const { return !control_.empty(); }
  // The connection must not end yet for what was sent to arrive: the peer still has to answer.
  bool awaits_peer() const { return role_ == Role::kAsked || !kept_.empty(); }

  Result<std::vector<OsHandle>> Receive(std::span<const HandleRecord> records) override;
  Status Control(std::span<const HandleRecord> records) override;

  // The connection has ended, and nothing more will be received: takes back what did not arrive.
  // While the peer has not hung up it may still read what was sent last, so what was pushed to it
  // is left to it.
  void End(bool peer_has_ended);

 private:
  using Value = HandleDoor::Value;
  enum class Role { kUnsettled, kAsked, kActive, kPassive, kNone };

  Status ControlOne(const HandleRecord& record);
  void Ask(uint32_t what);
  Status OnAsked(const HandleRecord& record);
  Status OnCannot(const HandleRecord& record);
  bool TryToBeActive(const HandleRecord& record);
  Status Settle(Role role);
  Result<HandleRecord> SendOne(const OsHandle& own);
  Result<HandleRecord> PushOne(HandleKind kind, const OsHandle& own);
  void TakeBack(std::atomic<Value>& slot);
  std::atomic<Value>* FreeSlot();
  Result<OsHandle> ReceiveOne(const HandleRecord& record);
  Result<OsHandle> TakePushed(Value slot);
  Result<OsHandle> PullOffered(Value their);
  Result<OsHandle> CheckKind(const HandleRecord& record, OsHandle own);
  void SweepSlots();

  std::unique_ptr<HandleDoor> door_;
  const bool accepted_;
  Role role_ = Role::kUnsettled;
  bool tried_ = false;  // This side tried to be the active one.
  bool ended_ = false;
  OsHandle own_ledger_;
  size_t next_slot_ = 0;
  // By their numbers: offered, and the peer has not said yet that it took them.
  std::map<Value, OsHandle> kept_;
  std::vector<HandleRecord> control_;
};

}  // namespace lwmsg::internal
