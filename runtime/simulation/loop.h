#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/io_loop.h"
#include "runtime/simulation/world.h"

namespace lwmsg::internal {

// The IoLoop of one simulated process. Does one thing a step, whichever is there: a task, its
// timers, what a stream is ready for, or the end of its turn.
class SimulatedLoop final : public IoLoop, private Actor {
 public:
  // What a stream is ready for now.
  using AskReady = std::function<Ready()>;

  SimulatedLoop(World& world, std::string name) : Actor(world, std::move(name)) {}
  ~SimulatedLoop() override { CloseDoor(); }

  const std::string& loop_name() const { return name(); }
  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  TimePoint Now() const override { return const_cast<SimulatedLoop*>(this)->world().Now(); }
  TimePoint TurnTime() const override { return turn_time_; }
  // Between the steps the scenario may be on any.
  bool OnOwnThread() const override;
  Result<std::unique_ptr<Watch>> MakeWatch(OsHandle::Native native,
                                           ReadyCallback callback) override;
  Result<std::unique_ptr<Watch>> MakeWatch(AskReady ask, ReadyCallback callback);
  void Hold() override {}
  void Unhold() override {}

  std::optional<TimePoint> next_timer() const { return earliest_timer(); }

 private:
  class StreamWatch;

  void OnEarliestTimer(std::optional<TimePoint> /*when*/) override {}
  bool CanAct() override;
  void Act() override;
  bool timer_is_due();

  std::deque<Task> tasks_;
  std::vector<StreamWatch*> watches_;
  TimePoint turn_time_ = world().Now();
  bool acted_ = false;  // In this turn.
};

}  // namespace lwmsg::internal
