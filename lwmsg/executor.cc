#include "lwmsg/executor.h"

#include "lwmsg/internal/spare_memory.h"

namespace lwmsg {

void internal::Door::Post(UniqueFunction<void()> task) {
  const std::lock_guard lock(mutex_);
  if (executor_ != nullptr) executor_->Post(std::move(task));
}

bool internal::Door::OnOwnThread() {
  const std::lock_guard lock(mutex_);
  return executor_ != nullptr && executor_->OnOwnThread();
}

void internal::Door::Close() {
  const std::lock_guard lock(mutex_);
  executor_ = nullptr;
}

std::optional<TimePoint> Executor::earliest_timer() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

void Executor::Insert(TimePoint when, Timer* timer) {
  auto place = internal::Insist([&] { return timers_.emplace(when, timer).first; });
  if (place == timers_.begin()) OnEarliestTimer(when);
}

void Executor::Erase(TimePoint when, Timer* timer) {
  const bool was_first = !timers_.empty() && timers_.begin()->second == timer;
  timers_.erase({when, timer});
  if (was_first) OnEarliestTimer(earliest_timer());
}

void Executor::RunTimers(TimePoint now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Timer* timer = timers_.begin()->second;
    timers_.erase(timers_.begin());
    timer->when_.reset();
    // May destroy the timer. What needs memory in it sees to it: the timers behind it go on.
    internal::IfMemory([timer] { timer->task_(); });
  }
  OnEarliestTimer(earliest_timer());
}

void Timer::Arm(TimePoint when) {
  if (when_ == when) return;
  Disarm();
  when_ = when;
  executor_.Insert(when, this);
}

void Timer::Disarm() {
  if (!when_) return;
  const TimePoint when = *std::exchange(when_, std::nullopt);
  executor_.Erase(when, this);
}

}  // namespace lwmsg
