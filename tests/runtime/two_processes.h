#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/handle_transfer.h"

// Two processes that pass handles to each other, without an operating system: handle tables are
// maps, and numbers are used again as soon as they are free, so that whoever closes one twice
// closes something else.
namespace lwmsg::test {

using Value = internal::HandleDoor::Value;
using internal::HandleKind;
using internal::HandleRecord;

// HandleRecord::what, as on the wire.
constexpr uint32_t kPushed = 1;
constexpr uint32_t kOffered = 2;
constexpr uint32_t kTaken = 3;
constexpr uint32_t kAsk = 4;
constexpr uint32_t kCannot = 5;
constexpr uint32_t kActive = 6;
constexpr uint32_t kNone = 7;

constexpr size_t kLedgerWords = 40;
constexpr size_t kEndedWord = 1;
constexpr size_t kFirstSlot = 3;

struct FakeObject {
  std::optional<HandleKind> kind;  // None: of a type that is never passed.
  std::array<std::atomic<Value>, kLedgerWords> ledger{};
};

struct FakeHandle {
  std::shared_ptr<FakeObject> object;
  // Whose it is to close: the program's, or the connection's.
  enum class Owner { kProgram, kTransfer } owner = Owner::kProgram;
  // A socket that Winsock does not know yet looks like a file.
  bool raw = false;
};

// What ends a process that is killed.
struct Killed {};

struct FakeProcess {
  std::map<Value, FakeHandle> table;
  bool alive = true;
  bool may_duplicate = true;
  // Calls so far, and at which of them this process is killed, or the call fails.
  int steps = 0;
  int kill_before = -1;
  int kill_after = -1;
  int fail_at = -1;
  std::shared_ptr<FakeObject> ledger;  // That it made.
  // Out of the ledger and not closed yet when it was killed: the one thing that is lost.
  Value lost = 0;

  Value Add(FakeHandle handle);
  Value Open(std::optional<HandleKind> kind);
  void Kill();
};

class FakeDoor final : public internal::HandleDoor {
 public:
  FakeDoor(FakeProcess& own, FakeProcess& their) : own_(own), their_(their) {}

  Result<HandleKind> KindOf(const OsHandle& own) override;
  void Close(OsHandle own) override;
  Result<OsHandle> AdoptSocket(OsHandle own) override;
  Result<OsHandle> Pull(Value their) override;
  Status Push(const OsHandle& own, std::atomic<Value>& their) override;
  void CloseTheirs(Value their) override;
  Result<OsHandle> MakeLedger() override;
  Status OpenLedger(Value their, Value nonce) override;
  std::span<std::atomic<Value>> ledger() override;

 private:
  // Around each call: here the process can be killed. False: the call shall fail.
  template <typename Call>
  auto Step(Call call);
  void Remove(FakeProcess& process, Value value);

  FakeProcess& own_;
  FakeProcess& their_;
  std::shared_ptr<FakeObject> ledger_;
};

// One of them: its end of the connection, and a program that sends and receives.
struct FakeSide {
  struct Wire {
    bool control;
    std::vector<std::byte> bytes;
  };

  FakeProcess process;
  std::unique_ptr<internal::HandleTransfer> transfer;
  std::deque<std::vector<Value>> outbox;
  std::deque<Wire> inbox;
  // What the program got, and what it was told.
  std::vector<std::vector<Value>> received;
  std::vector<Status> unsent;
  std::optional<Status> end;
  bool hung_up = false;
};

class TwoProcesses : public ::testing::Test {
 protected:
  ~TwoProcesses() override { End(); }

  // Both anew.
  void Reset();
  // `a` accepted the connection.
  void Connect(bool a_may_duplicate = true, bool b_may_duplicate = true);

  // A message with a new handle of each of these kinds.
  void Post(FakeSide& from, const std::vector<std::optional<HandleKind>>& kinds);
  // Sends what can go; receives what is there; and both until nothing moves.
  void Send(FakeSide& from);
  void ReceiveOne(FakeSide& to);
  void Receive(FakeSide& to);
  void Run();
  // As if the other side had sent this.
  void Inject(FakeSide& to, bool control, const std::vector<HandleRecord>& records);
  // Hangs up; the other reads what is left, sees the end and hangs up too.
  void HangUp(FakeSide& side);
  void End();
  // The connection ends, and nothing is left open but what is the programs'.
  void ExpectClean();
  void ExpectClean(FakeSide& side);

  FakeSide& Other(FakeSide& side) { return &side == &a_ ? b_ : a_; }
  // Runs `act` as `side`'s process, which may be killed by it.
  template <typename Act>
  void As(FakeSide& side, Act act) {
    if (!side.process.alive) return;
    try {
      act();
    } catch (const Killed&) {
      side.process.Kill();
    }
  }

  FakeSide a_;
  FakeSide b_;
};

inline constexpr std::array kAllKinds = {
    HandleKind::kFile,  HandleKind::kSection, HandleKind::kEvent,   HandleKind::kMutex,
    HandleKind::kTimer, HandleKind::kKey,     HandleKind::kSocket,  HandleKind::kSemaphore,
    HandleKind::kToken, HandleKind::kJob,     HandleKind::kProcess, HandleKind::kThread,
};

}  // namespace lwmsg::test
