#include <algorithm>

#include "lwmsg/association.h"

// What an association tells about itself.
namespace lwmsg {
namespace {

using std::chrono::milliseconds;

const char* PhaseName(Association::State state) {
  switch (state) {
    case Association::State::kGreeting:
      return "greeting";
    case Association::State::kOpen:
      return "open";
    case Association::State::kDraining:
      return "draining";
    case Association::State::kClosed:
      return "closed";
  }
  return "unknown";
}

// A turn's time may be a little behind the clock.
milliseconds Between(TimePoint start, TimePoint end) {
  return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(end - start));
}

}  // namespace

bool Association::idle() const {
  return state_ != State::kClosed && transport_ && !holding_ && incoming_.size() == 0 &&
         outgoing_.size() == 0 && transport_->queued().bytes == 0 && session_->object_count() == 0;
}

AssociationState Association::Describe() const {
  const TimePoint now = executor_.Now();
  AssociationState state;
  state.peer = peer();
  state.phase = PhaseName(state_);
  state.age = Between(made_, now);
  state.idle = Between(std::max(last_activity_, made_), now);
  state.queued_bytes = transport_ ? transport_->queued().bytes : 0;
  state.session_id = greeted_ ? session_->id() : 0;
  state.session_objects = session_->object_count();
  incoming_.ForEach([&](const internal::IncomingCalls::Call& call) {
    state.incoming.push_back({MethodName(*call.protocol, *call.method), call.id,
                              Between(std::max(call.started, made_), now), call.cancelled});
  });
  std::reverse(state.incoming.begin(), state.incoming.end());
  outgoing_.ForEach([&](const internal::OutgoingCalls::Call& call) {
    state.outgoing.push_back({MethodName(*call.protocol, *call.method), call.id,
                              Between(std::max(call.started, made_), now), !call.done});
  });
  return state;
}

void Association::LogEnd(const Status& reason) const {
  const bool usual = reason.ok() || reason.code() == StatusCode::kUnavailable;
  log().Write(usual ? LogLevel::kInfo : LogLevel::kWarning, [&] {
    return "peer ended: " + peer().ToString() + ": " + (reason.ok() ? "closed" : reason.ToString());
  });
}

std::unique_ptr<internal::CallReport> Association::Report(CallDirection direction,
                                                          const Protocol* protocol,
                                                          uint64_t interface_id, uint16_t method,
                                                          uint32_t id) const {
  if (!environment_->watcher && !log().Wants(LogLevel::kTrace)) return nullptr;
  return std::make_unique<internal::CallReport>(
      executor_, environment_->watcher, log(),
      CallInfo{direction, protocol, interface_id, method, id, peer()});
}

std::unique_ptr<internal::CallReport> Association::ReportOutgoing(const Protocol& protocol,
                                                                  const MethodInfo& method,
                                                                  uint32_t id) const {
  const auto number = static_cast<uint16_t>(&method - protocol.methods.data());
  return Report(CallDirection::kOutgoing, &protocol, protocol.id, number, id);
}

void Association::ReportAnswer(internal::IncomingCalls::Call& call, const Status& status) {
  const auto report = std::move(call.report);
  if (report) report->End(status);
}

}  // namespace lwmsg
