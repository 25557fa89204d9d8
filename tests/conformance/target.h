#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conformance.lwmsg.h"
#include "lwmsg/lwmsg.h"

namespace lwmsg::test {

// What a State handle names.
struct State {
  std::string text;
  int32_t number = 0;
};

// What a session's constructor makes.
struct CallerData {
  std::string name;
};

class CounterObject final : public conformance::CounterService {
 public:
  void Add(AddCall call) override;

  std::atomic<uint32_t> total = 0;
};

// Serves Listener, on the thread of its client.
class Listener final : public conformance::ListenerService {
 public:
  void Notify(NotifyCall call) override;
  void Bring(BringCall call) override;

  std::vector<uint32_t> notified;
  // What the last Bring brought.
  std::shared_ptr<State> brought;
};

// Serves Target as its schema says.
class Target final : public conformance::TargetService {
 public:
  void Ping(PingCall call) override;
  void Foo(FooCall call) override;
  void Whoami(WhoamiCall call) override;
  void Open(OpenCall call) override;
  void ReadText(ReadTextCall call) override;
  void ReadNumber(ReadNumberCall call) override;
  void Close(CloseCall call) override;
  void Same(SameCall call) override;
  void Maybe(MaybeCall call) override;
  void Lend(LendCall call) override;
  void CallBack(CallBackCall call) override;
  void ReadFile(ReadFileCall call) override;
  void IgnoreFile(IgnoreFileCall call) override;
  void Files(FilesCall call) override;
  void Bogus(BogusCall call) override;
  void Large(LargeCall call) override;
  void Fail(FailCall call) override;
  void MakeCounter(MakeCounterCall call) override;
  void Keep(KeepCall call) override;
  void Block(BlockCall call) override;
  void Level(LevelCall call) override;
  void Name(NameCall call) override;

  // Set before the server starts; they answer the calls.
  std::function<void(KeepCall)> on_keep;
  std::function<void(BlockCall)> on_block;
  // Runs when an object that `open` made has gone; may be empty.
  std::function<void()> on_state_gone;

 private:
  std::shared_ptr<State> same_ = std::make_shared<State>();
};

}  // namespace lwmsg::test
