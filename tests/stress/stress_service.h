#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "stress.lwmsg.h"

namespace lwmsg::test {

// What is counted: it must be nothing in the end.
template <typename T>
class Living {
 public:
  Living() { ++count_; }
  Living(const Living&) = delete;
  Living& operator=(const Living&) = delete;
  ~Living() { --count_; }

  static int count() { return count_; }

 private:
  inline static std::atomic<int> count_ = 0;
};

// The data of a session.
struct Guest : Living<Guest> {};

class Counted final : public stress::CountedService, Living<Counted> {
 public:
  explicit Counted(uint64_t maker) : maker_(maker) {}
  void Add(AddCall call) override;
  static int living() { return Living<Counted>::count(); }

 private:
  const uint64_t maker_;
  uint64_t total_ = 0;
};

// Serves Stress on one loop. `executed` gets the number of each call, on the thread that runs it.
class StressService final : public stress::StressService {
 public:
  explicit StressService(std::function<void(uint64_t)> executed) : executed_(std::move(executed)) {}

  void Run(RunCall call) override;
  void Make(MakeCall call) override;
  void Block(BlockCall call) override;
  void Give(GiveCall call) override;
  void Keep(KeepCall call) override;
  void Count(CountCall call) override;
  void CallBack(CallBackCall call) override;

 private:
  std::function<void(uint64_t)> executed_;
  std::unordered_map<uint64_t, KeepCall> kept_;
};

// The caller's side of CallBack, over a client that waits or one with a loop.
class BlockingCaller final : public stress::CallerService {
 public:
  void Notify(NotifyCall call) override;
};
class LoopCaller final : public stress::CallerService {
 public:
  void Notify(NotifyCall call) override;
};

}  // namespace lwmsg::test
