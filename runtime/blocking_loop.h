#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/io_loop.h"

namespace lwmsg::internal {

// An IoLoop for a thread that waits itself: the blocking client's.
class BlockingLoop final : public IoLoop {
 public:
  explicit BlockingLoop(std::chrono::microseconds busy_wait) { SetBusyWait(busy_wait); }
  ~BlockingLoop() override;

  // Waits until something happens, if it `may_wait`, and lets what has happened take its course.
  void RunOnce(bool may_wait);

  void Post(Task task) override;
  TimePoint Now() const override { return std::chrono::steady_clock::now(); }
  bool OnOwnThread() const override { return std::this_thread::get_id() == thread_; }
  void Hold() override {}
  void Unhold() override {}
  TimePoint TurnTime() const override { return turn_time_; }
  bool sleeps_in_reads() const override { return true; }
  void NoteArrival() override {
    IoLoop::NoteArrival();
    turn_time_ = Now();
  }
  Result<std::unique_ptr<Watch>> MakeWatch(OsHandle::Native native,
                                           ReadyCallback callback) override;

 private:
  struct NativeWatch;

  void OnEarliestTimer(std::optional<TimePoint> when) override;
  void WaitForWatches(int timeout_ms);
  // With one watch, which only reads: looks, or waits in the read. False: neither.
  bool WaitForReader(NativeWatch& reader, int timeout_ms);
  void Tell(NativeWatch& watch, Ready happened);
  void WaitForPost();
  bool LookForPost();
  int Timeout();
  bool RunPosted();

  std::atomic<std::thread::id> thread_ = std::this_thread::get_id();  // Who waits.
  std::vector<NativeWatch*> watches_;
  NativeWatch* notified_ = nullptr;  // Whose callback runs, unless it has been told again inside.
  TimePoint turn_time_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable posted_some_;
  std::deque<Task> posted_;  // Guarded by mutex_.
};

}  // namespace lwmsg::internal
