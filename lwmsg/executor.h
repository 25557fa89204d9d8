#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "lwmsg/function.h"

namespace lwmsg {

using TimePoint = std::chrono::steady_clock::time_point;

class Executor;
class Timer;

namespace internal {

// The way to an executor's loop for those that may outlive it, on any thread.
class Door {
 public:
  explicit Door(Executor* executor) : executor_(executor) {}

  // Runs `task` on the loop, later, in order. Once the executor is gone, drops it here and now.
  void Post(UniqueFunction<void()> task);
  bool OnOwnThread();
  // Nothing gets in any more; returns when nobody is on the way in.
  void Close();

 private:
  std::mutex mutex_;
  Executor* executor_;  // Guarded by mutex_.
};

}  // namespace internal

// Half of the seam between the core and what drives it: order and time of one loop. Implemented
// over libuv, for the blocking client, and with virtual time for tests. Outlives whatever uses it.
class Executor {
 public:
  using Task = UniqueFunction<void()>;

  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() { door_->Close(); }

  // Runs `task` on the loop, later, in order. The one function that any thread may call.
  virtual void Post(Task task) = 0;
  virtual TimePoint Now() const = 0;
  // True on the thread that runs the loop now, or ran it last.
  virtual bool OnOwnThread() const = 0;
  const std::shared_ptr<internal::Door>& door() const { return door_; }
  // About when the loop's present turn began: for what happens too often to read the clock each
  // time, and may be some milliseconds early. No earlier than the last turn; stale while the loop
  // does not run.
  virtual TimePoint TurnTime() const { return Now(); }

 protected:
  Executor() = default;
  // For the destructor of whoever implements Post: before anything that Post needs goes.
  void CloseDoor() { door_->Close(); }
  // Called when there is a new earliest timer, or none: RunTimers is wanted at that time.
  virtual void OnEarliestTimer(std::optional<TimePoint> when) = 0;
  // Runs all timers that are due, in order of their time.
  void RunTimers() { RunTimers(Now()); }
  // For a loop that has read the clock already.
  void RunTimers(TimePoint now);
  std::optional<TimePoint> earliest_timer() const;

 private:
  friend class Timer;
  void Insert(TimePoint when, Timer* timer);
  void Erase(TimePoint when, Timer* timer);

  std::shared_ptr<internal::Door> door_ = std::make_shared<internal::Door>(this);
  std::set<std::pair<TimePoint, Timer*>> timers_;
};

// Calls a function at a time, on the executor's loop. Destroying or disarming it means that the
// function does not run. May be destroyed or armed again inside its own function.
class Timer {
 public:
  Timer(Executor& executor, Executor::Task task) : executor_(executor), task_(std::move(task)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { Disarm(); }

  void Arm(TimePoint when);
  void ArmAfter(std::chrono::milliseconds delay) { Arm(executor_.Now() + delay); }
  void Disarm();
  const std::optional<TimePoint>& when() const { return when_; }

 private:
  friend class Executor;

  Executor& executor_;
  Executor::Task task_;
  std::optional<TimePoint> when_;
};

}  // namespace lwmsg
