#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "lwmsg/function.h"

namespace lwmsg {

using TimePoint = std::chrono::steady_clock::time_point;

class Timer;

// Half of the seam between the core and what drives it: order and time of one loop. Implemented
// over libuv, for the blocking client, and with virtual time for tests. Outlives whatever uses it.
class Executor {
 public:
  using Task = UniqueFunction<void()>;

  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  // Runs `task` on the loop, later, in order. The one function that any thread may call.
  virtual void Post(Task task) = 0;
  virtual TimePoint Now() const = 0;

 protected:
  Executor() = default;
  // Called when there is a new earliest timer, or none: RunTimers is wanted at that time.
  virtual void OnEarliestTimer(std::optional<TimePoint> when) = 0;
  // Runs all timers that are due, in order of their time.
  void RunTimers();
  std::optional<TimePoint> earliest_timer() const;

 private:
  friend class Timer;
  void Insert(TimePoint when, Timer* timer);
  void Erase(TimePoint when, Timer* timer);

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
