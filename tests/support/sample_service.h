#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "sample.lwmsg.h"
#include "tests/support/system.h"

namespace lwmsg::test {

// What `make` makes.
class Counter final : public sample::ObjectService, public std::enable_shared_from_this<Counter> {
 public:
  ~Counter() override;
  void Add(AddCall call) override;
  void Object(ObjectCall call) override;

  uint32_t count = 0;
  std::function<void()> on_end;
};

// What a session's constructor makes in tests.
struct Caller {
  std::string name;
};

// Serves Sample as its schema says, and remembers what tests ask for.
class SampleService final : public sample::SampleService {
 public:
  void Echo(EchoCall call) override;
  void Open(OpenCall call) override;
  void Give(GiveCall call) override;
  void Nothing(NothingCall call) override;
  void Log(LogCall call) override;
  void Keep(KeepCall call) override;
  void Fail(FailCall call) override;
  void Throwing(ThrowingCall call) override;
  void Forget(ForgetCall call) override;
  void CallBack(CallBackCall call) override;
  void Whoami(WhoamiCall call) override;
  void Blob(BlobCall call) override;
  void Collect(CollectCall call) override;
  void Make(MakeCall call) override;
  void Use(UseCall call) override;
  void Drop(DropCall call) override;
  void Count(CountCall call) override;
  void Watch(WatchCall call) override;
  void Block(BlockCall call) override;
  void Hurry(HurryCall call) override;
  void CallObject(CallObjectCall call) override;
  void Me(MeCall call) override;
  void Lend(LendCall call) override;
  void Share(ShareCall call) override;
  void Render(RenderCall call) override;
  void Examine(ExamineCall call) override;

  // The calls of Keep that have no answer yet, in order.
  std::vector<KeepCall> kept;
  // The same of Watch and Hurry.
  std::vector<WatchCall> watching;
  std::vector<HurryCall> hurried;
  // Answers Block.
  std::function<void(BlockCall)> on_block;
  // Runs in Keep, when the call is in `kept`.
  std::function<void()> on_keep;
  std::vector<std::string> logged;
  // The calls of Log, if they are kept.
  std::optional<std::vector<LogCall>> kept_logs;
  // What Share kept, and what Render takes from.
  std::vector<SharedMemory> shared;
  static constexpr size_t kPlaceBytes = 100'000;
  std::optional<SharedMemoryPool> pool;
  // The last that `make` made.
  std::weak_ptr<Counter> made;
};

// Serves Listener: answers with the round and counts.
class ListenerService final : public sample::ListenerService {
 public:
  void Notify(NotifyCall call) override;
  uint32_t count = 0;
};

// As Whoami tells what it may not know.
int64_t OrMinusOne(std::optional<uint32_t> value);

// Runs the loop until `done` says so; false if that takes more than 20 seconds.
bool RunLoopUntil(Loop& loop, const std::function<bool()>& done);

}  // namespace lwmsg::test
