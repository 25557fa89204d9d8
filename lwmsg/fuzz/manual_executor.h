#pragma once

#include <deque>
#include <thread>

#include "lwmsg/executor.h"

namespace lwmsg::fuzz {

// An Executor with virtual time: nothing runs until the test says so, and no time passes by itself.
class ManualExecutor final : public Executor {
 public:
  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  TimePoint Now() const override { return now_; }
  bool OnOwnThread() const override { return std::this_thread::get_id() == thread_; }

  // Runs what was posted, and what that posts.
  void Run() {
    while (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }

  // Lets `time` pass, timer by timer, and runs all that follows.
  void Advance(std::chrono::milliseconds time) {
    const TimePoint end = now_ + time;
    Run();
    while (earliest_timer() && *earliest_timer() <= end) {
      now_ = std::max(now_, *earliest_timer());
      RunTimers();
      Run();
    }
    now_ = end;
  }

  bool idle() const { return tasks_.empty() && !earliest_timer(); }

 private:
  void OnEarliestTimer(std::optional<TimePoint> /*when*/) override {}

  std::thread::id thread_ = std::this_thread::get_id();
  TimePoint now_{};
  std::deque<Task> tasks_;
};

}  // namespace lwmsg::fuzz
