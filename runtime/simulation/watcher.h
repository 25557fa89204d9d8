#pragma once

#include <memory>
#include <utility>

#include "lwmsg/call_watcher.h"
#include "lwmsg/channel.h"
#include "lwmsg/limits.h"
#include "runtime/simulation/wire.h"
#include "runtime/simulation/world.h"

namespace lwmsg::internal {

// Tells the connections of their calls, and the user's watcher, if there is one.
class SimulatedWatcher final : public CallWatcher {
 public:
  SimulatedWatcher(World& world, Side side, std::shared_ptr<CallWatcher> next)
      : world_(world), side_(side), next_(std::move(next)) {}

  void OnBegin(const CallInfo& call) override;
  void OnEnd(const CallInfo& call, const Status& status,
             std::chrono::nanoseconds duration) override;

 private:
  Wire* WireOf(const CallInfo& call) const;

  World& world_;
  const Side side_;
  const std::shared_ptr<CallWatcher> next_;
};

// Looks after one call: that its callback runs once, in time, and not inside the function that
// starts it.
class CallGuard {
 public:
  // Takes the place of the call's callbacks.
  CallGuard(World& world, const Limits& limits, OutgoingCall& call, ReplyCallback& done);
  // The call was started.
  void Started() { state_->starting = false; }

 private:
  struct State {
    State(World& simulated, std::string call_name);
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State();

    World& world;
    const std::string name;
    bool starting = true;
    bool ended = false;
    std::optional<World::Deadlines::iterator> deadline;
  };
  static void End(State& state);

  // The callback, and what gets items, have it: when the last goes it ends.
  std::shared_ptr<State> state_;
};

}  // namespace lwmsg::internal
