#include "runtime/simulation/watcher.h"

namespace lwmsg::internal {
namespace {

// As lwmsg decides it.
std::chrono::milliseconds TimeoutOf(const OutgoingCall& call, const Limits& limits) {
  if (call.timeout) return *call.timeout;
  if (call.method->timeout) return std::chrono::milliseconds(*call.method->timeout);
  if (call.method->kind == MethodKind::kStream) return std::chrono::milliseconds::zero();
  return limits.call_timeout;
}

}  // namespace

Wire* SimulatedWatcher::WireOf(const CallInfo& call) const {
  const auto& label = call.peer.label();
  return label ? world_.FindWire(*label) : nullptr;
}

void SimulatedWatcher::OnBegin(const CallInfo& call) {
  world_.Note(side_ == kClientSide ? "client" : "server", call.name() + " begins", call.id);
  if (Wire* wire = WireOf(call)) wire->OnBegin(side_, call);
  if (next_) next_->OnBegin(call);
}

void SimulatedWatcher::OnEnd(const CallInfo& call, const Status& status,
                             std::chrono::nanoseconds duration) {
  world_.Note(side_ == kClientSide ? "client" : "server",
              call.name() + " ends: " + std::string(StatusCodeName(status.code())), call.id);
  if (Wire* wire = WireOf(call)) wire->OnEnd(side_, call);
  if (next_) next_->OnEnd(call, status, duration);
}

CallGuard::State::State(World& simulated, std::string call_name)
    : world(simulated), name(std::move(call_name)) {
  ++world.callbacks();
}

CallGuard::State::~State() {
  --world.callbacks();
  if (deadline) world.deadlines().erase(*deadline);
  if (!ended) world.Fail("the callback of " + name + " was dropped and did not run");
}

void CallGuard::End(State& state) {
  if (state.starting) state.world.Fail("the callback of " + state.name + " ran inside Send");
  if (std::exchange(state.ended, true)) {
    state.world.Fail("the callback of " + state.name + " ran twice");
  }
  if (!state.deadline) return;
  state.world.deadlines().erase(*state.deadline);
  state.deadline.reset();
}

CallGuard::CallGuard(World& world, const Limits& limits, OutgoingCall& call, ReplyCallback& done)
    : state_(std::make_shared<State>(world, MethodName(*call.protocol, *call.method))) {
  const auto timeout = TimeoutOf(call, limits);
  if (timeout > timeout.zero()) {
    state_->deadline = world.deadlines().insert(world.time() + timeout);
  }
  if (call.on_item) {
    call.on_item = [state = state_,
                    on_item = std::move(call.on_item)](IncomingMessage item) mutable {
      if (state->ended) state->world.Fail(state->name + " got an item behind its end");
      on_item(std::move(item));
    };
  }
  done = [state = state_, done = std::move(done)](Result<IncomingMessage> reply) mutable {
    End(*state);
    done(std::move(reply));
  };
}

}  // namespace lwmsg::internal
