#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

#include "lwmsg/association.h"
#include "lwmsg/internal/message_state.h"

namespace lwmsg {
namespace {

// A peer's timeout is a number of its own; more than this is as good as none and would overflow.
constexpr std::chrono::microseconds kLongestTimeout = std::chrono::hours(24 * 365);

std::string Hex(uint64_t id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "0x";
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(id >> shift) & 0xF];
  return text;
}

Status Unserved(const ServiceTable& services, uint64_t interface_id) {
  std::string served;
  for (const auto& entry : services.entries()) {
    served += served.empty() ? "" : ", ";
    served += entry.protocol->name;
  }
  return Status(StatusCode::kUnimplemented, "interface " + Hex(interface_id) +
                                                " is not served here; served is " +
                                                (served.empty() ? "nothing" : served));
}

std::optional<TimePoint> DeadlineOf(std::chrono::microseconds timeout, const Executor& executor) {
  if (timeout <= timeout.zero()) return std::nullopt;
  return executor.Now() + std::min(timeout, kLongestTimeout);
}

std::optional<TimePoint> Earlier(std::optional<TimePoint> a, std::optional<TimePoint> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

// --- Calls of the peer.

Status Association::Admit(const ServiceTable::Entry* entry, uint64_t interface_id, uint16_t method,
                          IncomingMessage& message) const {
  if (entry == nullptr) return Unserved(services_, interface_id);
  const Protocol& protocol = *entry->protocol;
  if (method >= protocol.methods.size()) {
    return Status(StatusCode::kUnimplemented, std::string(protocol.name) + " has no method " +
                                                  std::to_string(method) + " here, only " +
                                                  std::to_string(protocol.methods.size()));
  }
  const MethodInfo& info = protocol.methods[method];
  const uint32_t id = message.state().envelope->getCall().getId();
  if (info.one_way != (id == 0)) {
    return Status(
        StatusCode::kMalformed,
        MethodName(protocol, info) + (info.one_way ? " is one-way, but the call wants a reply"
                                                   : " has a reply, but the call is one-way"));
  }
  if (state_ == State::kDraining) {
    return Status(StatusCode::kUnavailable, "the service is ending and takes no more calls");
  }
  if (incoming_.size() >= config_.limits.max_calls) {
    return Status(StatusCode::kResourceExhausted,
                  "more than " + std::to_string(config_.limits.max_calls) +
                      " calls of one peer without an answer, Limits::max_calls");
  }
  Status sound = message.CheckPayload(info.params());
  if (sound.ok()) return sound;
  return Status(sound.code(), "request of " + MethodName(protocol, info) + ": " + sound.message());
}

void Association::OnCall(IncomingMessage message) {
  const auto call = message.state().envelope->getCall();
  const uint32_t id = call.getId();
  if (id != 0 && incoming_.Find(id) != nullptr) {
    return End(Status(StatusCode::kMalformed,
                      "call id " + std::to_string(id) + " is in use by a call without an answer"),
               true);
  }
  const ServiceTable::Entry* entry = services_.Find(call.getInterfaceId());
  Status admitted = Admit(entry, call.getInterfaceId(), call.getMethod(), message);
  if (!admitted.ok()) {
    if (id != 0) SendError(id, admitted);
    return;
  }
  if (id != 0) {
    const auto timeout = std::min<uint64_t>(call.getTimeoutMicros(), kLongestTimeout.count());
    const auto deadline =
        DeadlineOf(std::chrono::microseconds(static_cast<int64_t>(timeout)), executor_);
    incoming_.Add({id, deadline, false, {}});
    if (deadline) Arm(*deadline);
  }
  const uint16_t method = call.getMethod();
  Dispatch(*entry, IncomingCall(anchor_.link(), id, *entry->protocol, method, std::move(message)),
           id);
}

void Association::Dispatch(const ServiceTable::Entry& entry, IncomingCall call, uint32_t id) {
  const auto link = anchor_.link();
  const Protocol& protocol = *entry.protocol;
  const MethodInfo& method = protocol.methods[call.method()];
  dispatching_ = id;
  exceptions_before_dispatch_ = std::uncaught_exceptions();
  Status thrown;
  try {
    entry.service->Dispatch(std::move(call));
  } catch (...) {
    thrown = internal::StatusOfCurrentException();
  }
  Association* self = link.get();
  if (self == nullptr) return;
  self->dispatching_ = 0;
  if (!thrown.ok()) {
    self->AnswerError(
        id, Status(thrown.code(), MethodName(protocol, method) + ": " + thrown.message()));
  }
}

bool Association::HandlerIsThrowing(uint32_t id) const {
  return id == dispatching_ && std::uncaught_exceptions() > exceptions_before_dispatch_;
}

void Association::Answer(uint32_t id, const Protocol& protocol, uint16_t method,
                         OutgoingMessage reply) {
  if (!incoming_.Remove(id)) return;
  Status sendable = CheckOutgoing(protocol, protocol.methods[method], reply);
  if (sendable.ok()) {
    reply.state().envelope.getReply().setId(id);
    Send(std::move(reply));
  } else {
    SendError(id, sendable);
  }
  CloseIfDrained();
}

void Association::AnswerError(uint32_t id, const Status& status) {
  if (!incoming_.Remove(id)) return;
  SendError(id, status);
  CloseIfDrained();
}

void Association::SendError(uint32_t id, const Status& status) {
  OutgoingMessage message = OutgoingMessage::ForReply();
  auto reply = message.state().envelope.getReply();
  reply.setId(id);
  reply.setStatus(static_cast<uint16_t>(status.ok() ? StatusCode::kInternal : status.code()));
  reply.setMessage(status.ok() ? "the service failed with status OK" : status.message());
  Send(std::move(message));
}

bool Association::IsCancelled(uint32_t id) const {
  const auto* call = incoming_.Find(id);
  return state_ == State::kClosed || (call != nullptr && call->cancelled);
}

void Association::SetOnCancel(uint32_t id, UniqueFunction<void()> callback) {
  if (auto* call = incoming_.Find(id)) call->on_cancel = std::move(callback);
}

void Association::OnCancel(IncomingMessage message) {
  auto on_cancel = incoming_.MarkCancelled(message.state().envelope->getCancel().getId());
  if (on_cancel) on_cancel();
}

// --- Calls of this side.

Status Association::CheckOutgoing(const Protocol& protocol, const MethodInfo& method,
                                  OutgoingMessage& message) const {
  const size_t bytes = message.ByteSize();
  if (bytes > peer_limits_.frame_bytes) {
    return Status(StatusCode::kResourceExhausted,
                  MethodName(protocol, method) + ": message of " + std::to_string(bytes) +
                      " bytes, but the peer takes " + std::to_string(peer_limits_.frame_bytes) +
                      ", its Limits::max_frame_bytes");
  }
  const auto handles = message.handles().all();
  if (handles.size() > peer_limits_.frame_handles) {
    return Status(StatusCode::kResourceExhausted, MethodName(protocol, method) + ": message with " +
                                                      std::to_string(handles.size()) +
                                                      " OS handles, but the peer takes " +
                                                      std::to_string(peer_limits_.frame_handles) +
                                                      ", its Limits::max_frame_handles");
  }
  for (const OsHandle& handle : handles) {
    if (handle.valid()) continue;
    return Status(StatusCode::kInvalidArgument,
                  MethodName(protocol, method) + ": an OsHandle field was set and then emptied");
  }
  return Status();
}

Status Association::CheckCall(OutgoingCall& call) const {
  if (state_ == State::kClosed) {
    return Status(StatusCode::kUnavailable,
                  MethodName(*call.protocol, *call.method) +
                      ": the association has ended: " + end_reason_.message());
  }
  if (state_ == State::kDraining) {
    return Status(StatusCode::kUnavailable,
                  MethodName(*call.protocol, *call.method) + ": the association is ending");
  }
  if (outgoing_.size() >= peer_limits_.calls) {
    return Status(
        StatusCode::kResourceExhausted,
        MethodName(*call.protocol, *call.method) + ": " + std::to_string(outgoing_.size()) +
            " calls have no reply yet, and the peer takes no more, its Limits::max_calls");
  }
  return CheckOutgoing(*call.protocol, *call.method, call.message);
}

uint32_t Association::Start(OutgoingCall call, ReplyCallback done) {
  Start();
  Status sendable = CheckCall(call);
  if (!sendable.ok()) {
    executor_.Post([done = std::move(done), sendable]() mutable { done(Error(sendable)); });
    return 0;
  }
  const std::chrono::microseconds timeout = call.timeout.value_or(config_.limits.call_timeout);
  const auto deadline = DeadlineOf(timeout, executor_);
  const uint32_t id = outgoing_.Add({0, call.protocol, call.method, deadline, std::move(done)});
  auto envelope = call.message.state().envelope.getCall();
  envelope.setId(id);
  envelope.setTimeoutMicros(timeout > timeout.zero() ? timeout.count() : 0);
  if (deadline) Arm(*deadline);
  Send(std::move(call.message));
  return id;
}

Status Association::Post(OutgoingCall call) {
  Start();
  Status sendable = CheckCall(call);
  if (!sendable.ok()) return sendable;
  Send(std::move(call.message));
  if (config_.run_once) config_.run_once(false);
  return sendable;
}

Result<IncomingMessage> Association::Wait(OutgoingCall call) {
  if (!config_.run_once) {
    return Error(StatusCode::kFailedPrecondition,
                 MethodName(*call.protocol, *call.method) +
                     ": Sync would stop the loop that brings the reply; use Send, or a "
                     "BlockingClient");
  }
  std::optional<Result<IncomingMessage>> reply;
  Start(std::move(call), [&reply](Result<IncomingMessage> result) { reply = std::move(result); });
  while (!reply) config_.run_once(true);
  return std::move(*reply);
}

void Association::Cancel(uint32_t id) {
  auto done = outgoing_.Abandon(id);
  if (!done) return;
  SendCancel(id);
  executor_.Post([done = std::move(done)]() mutable {
    done(Error(StatusCode::kCancelled, "the call was cancelled by this side"));
  });
}

void Association::SendCancel(uint32_t id) {
  OutgoingMessage message;
  message.state().envelope.initCancel().setId(id);
  Send(std::move(message));
}

void Association::OnReply(IncomingMessage message) {
  const auto reply = message.state().envelope->getReply();
  if (outgoing_.Find(reply.getId()) == nullptr) {
    return End(Status(StatusCode::kMalformed, "reply to call id " + std::to_string(reply.getId()) +
                                                  ", which waits for none"),
               true);
  }
  // Before the call leaves the table: it throws if the pointer is bad.
  std::string text = reply.getStatus() == 0 ? "" : reply.getMessage().cStr();
  auto call = outgoing_.Remove(reply.getId());
  const auto link = anchor_.link();
  if (call.done) {
    if (reply.getStatus() != 0) {
      const StatusCode code = StatusCodeFromWire(reply.getStatus());
      if (code == StatusCode::kUnimplemented || code == StatusCode::kMalformed) {
        text += SchemaNote(*call.protocol);
      }
      call.done(Error(code, std::move(text)));
    } else if (Status sound = message.CheckPayload(call.method->results()); !sound.ok()) {
      call.done(Error(sound.code(), "reply of " + MethodName(*call.protocol, *call.method) + ": " +
                                        sound.message() + SchemaNote(*call.protocol)));
    } else {
      call.done(std::move(message));
    }
  }
  if (Association* self = link.get()) self->CloseIfDrained();
}

// --- Both.

void Association::Send(OutgoingMessage message) {
  if (state_ == State::kClosed) return;
  transport_->Send(std::move(message));
  if (overflowed_ || transport_->queued_bytes() <= config_.limits.max_queued_bytes) return;
  overflowed_ = true;
  // Later, as ending calls back and sending must not.
  executor_.Post([link = anchor_.link()] {
    Association* self = link.get();
    if (self == nullptr) return;
    self->End(Status(StatusCode::kResourceExhausted,
                     "more than " + std::to_string(self->config_.limits.max_queued_bytes) +
                         " bytes wait for a peer that does not read, Limits::max_queued_bytes"),
              false);
  });
}

void Association::Arm(TimePoint deadline) {
  // A call that ends does not disarm: mostly the timer is armed already for an earlier time.
  if (!deadline_timer_.when() || deadline < *deadline_timer_.when()) deadline_timer_.Arm(deadline);
}

void Association::OnDeadline() {
  const TimePoint now = executor_.Now();
  std::vector<std::pair<std::string, ReplyCallback>> late;
  for (uint32_t id : outgoing_.Due(now)) {
    const auto* call = outgoing_.Find(id);
    late.emplace_back(MethodName(*call->protocol, *call->method), outgoing_.Abandon(id));
    SendCancel(id);
  }
  std::vector<UniqueFunction<void()>> cancels;
  for (uint32_t id : incoming_.TakeDue(now)) {
    if (auto on_cancel = incoming_.MarkCancelled(id)) cancels.push_back(std::move(on_cancel));
  }
  if (auto next = Earlier(outgoing_.EarliestDeadline(), incoming_.EarliestDeadline())) Arm(*next);
  // User code from here on: it may destroy this.
  for (auto& [method, done] : late) {
    done(Error(StatusCode::kDeadlineExceeded, method + ": no reply before the call's deadline"));
  }
  for (auto& on_cancel : cancels) on_cancel();
}

std::string Association::SchemaNote(const Protocol& protocol) const {
  for (const auto& [id, hash] : peer_schemas_) {
    if (id == protocol.id && hash != protocol.schema_hash) {
      return "; the two sides were built from different schemas of " + std::string(protocol.name);
    }
  }
  return "";
}

}  // namespace lwmsg
