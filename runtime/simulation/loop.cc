#include "runtime/simulation/loop.h"

#include <algorithm>
#include <utility>

namespace lwmsg::internal {

class SimulatedLoop::StreamWatch final : public IoLoop::Watch {
 public:
  StreamWatch(SimulatedLoop& loop, AskReady ask, ReadyCallback callback)
      : loop_(loop), ask_(std::move(ask)), callback_(Share(std::move(callback))) {
    loop_.watches_.push_back(this);
  }
  StreamWatch(const StreamWatch&) = delete;
  StreamWatch& operator=(const StreamWatch&) = delete;
  ~StreamWatch() override { std::erase(loop_.watches_, this); }

  void Want(Ready wanted) override { wanted_ = wanted; }
  Ready ready() const {
    const Ready now = ask_();
    return {wanted_.readable && now.readable, wanted_.writable && now.writable};
  }
  // Shared, as it may destroy this.
  std::shared_ptr<ReadyCallback> callback() const { return callback_; }

 private:
  SimulatedLoop& loop_;
  const AskReady ask_;
  const std::shared_ptr<ReadyCallback> callback_;
  Ready wanted_{};
};

bool SimulatedLoop::OnOwnThread() const {
  const SimulatedLoop* running = const_cast<SimulatedLoop*>(this)->world().running();
  return running == nullptr || running == this;
}

Result<std::unique_ptr<IoLoop::Watch>> SimulatedLoop::MakeWatch(OsHandle::Native /*native*/,
                                                                ReadyCallback /*callback*/) {
  return Error(StatusCode::kUnimplemented, "a simulation watches nothing of the system");
}

Result<std::unique_ptr<IoLoop::Watch>> SimulatedLoop::MakeWatch(AskReady ask,
                                                                ReadyCallback callback) {
  return std::make_unique<StreamWatch>(*this, std::move(ask), std::move(callback));
}

bool SimulatedLoop::timer_is_due() {
  return earliest_timer() && *earliest_timer() <= world().time();
}

bool SimulatedLoop::CanAct() {
  if (!tasks_.empty() || has_flushes() || timer_is_due()) return true;
  return std::ranges::any_of(watches_, [](const StreamWatch* watch) {
    const Ready ready = watch->ready();
    return ready.readable || ready.writable;
  });
}

void SimulatedLoop::Act() {
  turn_time_ = world().Now();
  world().set_running(this);
  std::vector<StreamWatch*> ready;
  std::ranges::copy_if(watches_, std::back_inserter(ready), [](const StreamWatch* watch) {
    const Ready now = watch->ready();
    return now.readable || now.writable;
  });
  // One of: a task, the timers, a stream, the end of the turn.
  const size_t tasks = tasks_.empty() ? 0 : 1;
  const size_t timers = timer_is_due() ? 1 : 0;
  // Some wait for the next turn, though there is nothing to flush.
  const size_t ends = has_flushes() || acted_ ? 1 : 0;
  const size_t choice = world().random().Below(tasks + timers + ends + ready.size());
  acted_ = true;
  if (choice < tasks) {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    world().Note(name(), "runs a task");
    task();
  } else if (choice < tasks + timers) {
    world().Note(name(), "runs its timers");
    RunTimers(world().time());
  } else if (choice < tasks + timers + ready.size()) {
    const StreamWatch& watch = *ready[choice - tasks - timers];
    const Ready happened = watch.ready();
    world().Note(name(), happened.readable ? "reads" : "writes");
    (*watch.callback())(happened);
  } else {
    acted_ = false;
    world().Note(name(), "ends its turn");
    FlushAll();
  }
  world().set_running(nullptr);
}

}  // namespace lwmsg::internal
