// Association: this side's calls, and what both directions share.
#include <algorithm>
#include <string>
#include <utility>

#include "lwmsg/association.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/limit_hits.h"
#include "lwmsg/reply.h"

namespace lwmsg {
namespace {

// A peer's timeout is a number of its own; more than this is as good as none and would overflow.
constexpr std::chrono::microseconds kLongestTimeout = std::chrono::hours(24 * 365);
// Some milliseconds more or less count below this.
constexpr std::chrono::microseconds kPreciseTimeout = std::chrono::seconds(1);

std::optional<TimePoint> Earlier(std::optional<TimePoint> a, std::optional<TimePoint> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// At the good end of a stream.
Status CheckItems(uint32_t sent, uint32_t came) {
  if (sent == came) return Status();
  return Status(StatusCode::kUnavailable,
                std::to_string(sent - came) + " of its " + std::to_string(sent) +
                    " items did not come: the service could not send their OS handles to this "
                    "process, and its log has the reason");
}

// What every call says besides its id and time.
wire::Envelope::Call::Builder FillCall(OutgoingCall& call) {
  auto envelope = call.message.state().envelope.getCall();
  envelope.setObject(call.object);
  envelope.setSchemaHash(call.protocol->schema_hash);
  return envelope;
}

}  // namespace

PendingCall internal::StartCall(const Channel& channel, OutgoingCall call, ReplyCallback done) {
  if (auto* target = channel.target()) return target->Start(std::move(call), std::move(done));
  done(Error(ChannelGone()));
  return PendingCall();
}

void PendingCall::Cancel() const {
  association_.Run([key = key_](Association& association) { association.Cancel(key); });
}

void PendingCall::GiveCredit(uint32_t items) const {
  association_.Run(
      [key = key_, items](Association& association) { association.GiveCredit(key, items); });
}

Status Association::CheckOutgoing(const Protocol& protocol, const MethodInfo& method,
                                  OutgoingMessage& message) const {
  if (Status placed = PlaceMemory(message); !placed.ok()) {
    return Status(placed.code(), MethodName(protocol, method) + ": " + placed.message());
  }
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
  const bool call = message.state().envelope.isCall();
  // Of calls no more are under way than the peer takes.
  const size_t queued = call || handles.empty() ? 0 : transport_->queued_for_user().handles;
  if (queued + handles.size() > std::max(limits().max_queued_handles, handles.size())) {
    return Status(StatusCode::kResourceExhausted,
                  MethodName(protocol, method) + ": " + std::to_string(queued) +
                      " OS handles wait already for the peer or others of its user, who do not "
                      "read, " +
                      internal::HitLimit(internal::Limit::kMaxQueuedHandles));
  }
  Status sound = message.CheckPayload(call ? method.params() : method.results());
  if (sound.ok()) return sound;
  return Status(sound.code(), (call ? "request of " : "reply of ") + MethodName(protocol, method) +
                                  ": " + sound.message());
}

Status Association::CheckCall(OutgoingCall& call) const {
  if (state_ == State::kClosed) {
    return Status(StatusCode::kUnavailable,
                  MethodName(*call.protocol, *call.method) +
                      ": the association has ended: " + end_reason_->message());
  }
  if (state_ == State::kDraining) {
    return Status(StatusCode::kUnavailable,
                  MethodName(*call.protocol, *call.method) + ": the association is ending");
  }
  if (!transport_) return internal::OutOfMemory();  // To begin; it ends soon.
  if (outgoing_.size() >= peer_limits_.calls) {
    return Status(
        StatusCode::kResourceExhausted,
        MethodName(*call.protocol, *call.method) + ": " + std::to_string(outgoing_.size()) +
            " calls have no reply yet, and the peer takes no more, its Limits::max_calls");
  }
  return CheckOutgoing(*call.protocol, *call.method, call.message);
}

void Association::TakeHandlesFor(const MethodInfo& method) {
  if (takes_handles_) return;
  if (method.results().carries_handles() || method.results().carries_objects() ||
      method.params().carries_objects()) {
    TakeHandles(true);
  }
}

PendingCall Association::Start(OutgoingCall call, ReplyCallback done) {
  Start();
  try {
    Status sendable = CheckCall(call);
    RememberCalled(*call.protocol);
    if (sendable.ok()) return Begin(call, done);
    if (auto report = ReportOutgoing(*call.protocol, *call.method, 0)) report->End(sendable);
    FailLater(std::move(done), std::move(sendable));
  } catch (const std::bad_alloc&) {
    FailLater(std::move(done), internal::OutOfMemory());
  }
  return PendingCall();
}

PendingCall Association::Begin(OutgoingCall& call, ReplyCallback& done) {
  TakeHandlesFor(*call.method);
  const std::chrono::microseconds timeout = TimeoutOf(call);
  const auto deadline = DeadlineAfter(timeout);
  const internal::CallKey key = outgoing_.Add({0,
                                               0,
                                               call.protocol,
                                               call.method,
                                               executor_.TurnTime(),
                                               deadline,
                                               timeout,
                                               call.method->window,
                                               0,
                                               internal::Share(std::move(call.on_item)),
                                               {}});
  std::unique_ptr<internal::CallReport> report;
  try {
    report = ReportOutgoing(*call.protocol, *call.method, key.id);
  } catch (const std::bad_alloc&) {
    outgoing_.Remove(key.id);
    throw;
  }
  if (report) {
    auto both = [report = std::move(report),
                 done = std::move(done)](Result<IncomingMessage> reply) mutable {
      internal::IfMemory([&] { report->End(reply ? Status() : reply.error()); });
      done(std::move(reply));
    };
    done = internal::Insist([&both] { return ReplyCallback(std::move(both)); });
  }
  outgoing_.Find(key)->done = std::move(done);
  auto envelope = FillCall(call);
  envelope.setId(key.id);
  envelope.setTimeoutMicros(timeout > timeout.zero() ? timeout.count() : 0);
  envelope.setCredit(call.method->window);
  if (deadline) Arm(*deadline);
  Send(std::move(call.message));
  return PendingCall(ref(), key);
}

Status Association::Post(OutgoingCall call) try {
  Start();
  Status sendable = CheckCall(call);
  if (auto report = ReportOutgoing(*call.protocol, *call.method, 0)) report->End(sendable);
  if (!sendable.ok()) return sendable;
  RememberCalled(*call.protocol);
  TakeHandlesFor(*call.method);
  FillCall(call);
  Send(std::move(call.message));
  if (can_wait()) connecting_->run_once(false);
  return sendable;
} catch (const std::bad_alloc&) {
  return internal::OutOfMemory();
}

std::chrono::microseconds Association::TimeoutOf(const OutgoingCall& call) const {
  if (call.timeout) return *call.timeout;
  if (call.method->timeout) return std::chrono::milliseconds(*call.method->timeout);
  if (call.method->kind == MethodKind::kStream) return std::chrono::microseconds::zero();
  return limits().call_timeout;
}

void Association::Cancel(const internal::CallKey& key) {
  if (outgoing_.Find(key) == nullptr) return;
  auto done = outgoing_.Abandon(key.id);
  if (!done) return;
  SendCancel(key.id);
  Status reason(StatusCode::kCancelled,
                internal::TextIfMemory("the call was cancelled by this side"));
  FailLater(std::move(done), std::move(reason));
}

void Association::FailLater(ReplyCallback done, Status reason) {
  if (gone_) {
    executor_.Post(
        internal::SureTask([done = std::move(done), reason = std::move(reason)]() mutable {
          done(Error(std::move(reason)));
        }));
    return;
  }
  internal::Insist([&] { failed_.emplace_back(std::move(done), std::move(reason)); });
  executor_.Post(internal::SureTask([link = anchor_.link()] {
    if (Association* self = link.get()) self->TellFailed();
  }));
}

void Association::TellFailed() {
  // User code, which may destroy this.
  auto failed = std::exchange(failed_, {});
  for (auto& call : failed) {
    internal::IfMemory([&call] { call.first(Error(std::move(call.second))); });
  }
}

void Association::SendCancel(uint32_t id) try {
  OutgoingMessage message;
  message.state().envelope.initCancel().setId(id);
  Send(std::move(message));
} catch (const std::bad_alloc&) {
  EndForLackOfMemory();
}

void Association::GiveCredit(const internal::CallKey& key, uint32_t items) try {
  auto* call = outgoing_.Find(key);
  if (call == nullptr || !call->done) return;
  call->credit += items;
  OutgoingMessage message;
  auto credit = message.state().envelope.initCredit();
  credit.setId(key.id);
  credit.setItems(items);
  Send(std::move(message));
} catch (const std::bad_alloc&) {
  EndForLackOfMemory();
}

void Association::Release(uint64_t object, uint32_t copies) try {
  OutgoingMessage message;
  auto release = message.state().envelope.initRelease();
  release.setObject(object);
  release.setCount(copies);
  Send(std::move(message));
} catch (const std::bad_alloc&) {
  EndForLackOfMemory();
}

void Association::OnReply(IncomingMessage message) {
  const auto reply = message.state().envelope->getReply();
  const auto* waiting = outgoing_.Find(reply.getId());
  if (waiting == nullptr) {
    return End(Status(StatusCode::kMalformed, "reply to call id " + std::to_string(reply.getId()) +
                                                  ", which waits for none"),
               true);
  }
  // Before the call leaves the table: this may throw.
  Status outcome = Outcome(message, *waiting);
  auto call = outgoing_.Remove(reply.getId());
  const auto link = anchor_.link();
  if (call.done && outcome.ok()) {
    call.done(std::move(message));
  } else if (call.done) {
    call.done(Error(std::move(outcome)));
  }
  if (Association* self = link.get()) self->CloseIfDrained();
}

Status Association::Outcome(IncomingMessage& message, const internal::OutgoingCalls::Call& call) {
  const auto reply = message.state().envelope->getReply();
  std::string text = reply.getStatus() == 0 ? "" : reply.getMessage().cStr();
  if (!call.done) {
    LetGo(message, *call.method);
    return Status();
  }
  if (reply.getStatus() != 0) {
    const StatusCode code = StatusCodeFromWire(reply.getStatus());
    if (code == StatusCode::kUnimplemented || code == StatusCode::kMalformed) {
      text += SchemaNote(*call.protocol);
    }
    return Status(code, std::move(text));
  }
  const bool stream = call.method->kind == MethodKind::kStream;
  Status sound = stream ? CheckItems(reply.getItems(), call.items)
                        : CheckPayload(message, call.method->results());
  if (sound.ok()) return sound;
  return Status(sound.code(), "reply of " + MethodName(*call.protocol, *call.method) + ": " +
                                  sound.message() + SchemaNote(*call.protocol));
}

void Association::OnItem(IncomingMessage message) {
  const uint32_t id = message.state().envelope->getItem().getId();
  auto* call = outgoing_.Find(id);
  if (call == nullptr || call->credit == 0) {
    return End(Status(StatusCode::kMalformed,
                      "item of call id " + std::to_string(id) +
                          (call == nullptr ? ", which waits for none" : " without credit for it")),
               true);
  }
  --call->credit;
  ++call->items;
  if (!call->done) return LetGo(message, *call->method);
  Status sound = CheckPayload(message, call->method->results());
  if (!sound.ok()) {
    Status broken(sound.code(), "item of " + MethodName(*call->protocol, *call->method) + ": " +
                                    sound.message() + SchemaNote(*call->protocol));
    auto done = outgoing_.Abandon(id);
    SendCancel(id);
    return done(Error(std::move(broken)));
  }
  const auto on_item = call->on_item;
  (*on_item)(std::move(message));
}

// --- Both.

void Association::Send(OutgoingMessage message) {
  if (state_ == State::kClosed || overflowed_) return;
  last_activity_ = executor_.TurnTime();
  message.handles().Sent();
  const bool sent = internal::IfMemory([&] {
    if (!message.handles().memories().empty()) LendMemory(message);
    transport_->Send(std::move(message));
  });
  if (!sent) return EndForLackOfMemory();
  const Transport::Queued queued = transport_->queued_for_user();
  const bool many = queued.messages > limits().max_queued_messages;
  if (overflowed_ || (queued.bytes <= limits().max_queued_bytes && !many)) return;
  // Nothing more goes out or comes in: one turn of small calls can ask for many large replies.
  overflowed_ = true;
  // Later, as ending calls back and sending must not.
  executor_.Post(internal::SureTask([link = anchor_.link(), many] {
    Association* self = link.get();
    if (self == nullptr) return;
    const Limits& limits = self->limits();
    const size_t most = many ? limits.max_queued_messages : limits.max_queued_bytes;
    using internal::Limit;
    Status reason = internal::StatusIfMemory([&] {
      return Status(
          StatusCode::kResourceExhausted,
          "more than " + std::to_string(most) + (many ? " messages" : " bytes") +
              " wait for the peer or others of its user, who do not read, " +
              internal::HitLimit(many ? Limit::kMaxQueuedMessages : Limit::kMaxQueuedBytes));
    });
    self->End(std::move(reason), false);
  }));
}

void Association::EndForLackOfMemory() {
  if (std::exchange(overflowed_, true)) return;
  executor_.Post(internal::SureTask([link = anchor_.link()] {
    if (Association* self = link.get()) self->End(internal::OutOfMemory(), true);
  }));
}

void Association::OnUnsent(OutgoingMessage message, const Status& reason) {
  if (session_ != nullptr) {
    // The peer will not release what it was never told of.
    for (const internal::ObjectName& name : message.object_names()) {
      if (!name.receivers) static_cast<void>(session_->Release(name.id, 1));
    }
  }
  TakeBackMemory(message);
  const auto envelope = message.state().envelope.asReader();
  if (envelope.isReply()) return SendError(envelope.getReply().getId(), reason);
  const auto* stream = envelope.isItem() ? incoming_.Find(envelope.getItem().getId()) : nullptr;
  if (stream != nullptr) {
    // The end of the stream, for both.
    const internal::CallKey key = stream->key();
    auto waiters = incoming_.MarkCancelled(key.id);
    AnswerError(key, reason);
    // User code from here on: it may destroy this.
    return waiters.Tell();
  }
  const uint32_t id = envelope.isCall() ? envelope.getCall().getId() : 0;
  const auto* waiting = outgoing_.Find(id);
  if (waiting == nullptr) {
    // That an item is missing the caller finds by the number in the stream's reply.
    log().Write(LogLevel::kWarning, [&] {
      return std::string(envelope.isItem() ? "an item of a stream" : "a one-way call") +
             " was not sent: " + reason.ToString();
    });
    return;
  }
  Status unsent(reason.code(),
                MethodName(*waiting->protocol, *waiting->method) + ": " + reason.message());
  auto call = outgoing_.Remove(id);
  const auto link = anchor_.link();
  if (call.done) call.done(Error(std::move(unsent)));
  if (Association* self = link.get()) self->CloseIfDrained();
}

std::optional<TimePoint> Association::DeadlineOnArrival(std::chrono::microseconds timeout) const {
  // To read the clock takes longer than all else that a deadline needs.
  if (timeout < kPreciseTimeout) return DeadlineAfter(timeout);
  return last_activity_ + std::min(timeout, kLongestTimeout);
}

std::optional<TimePoint> Association::DeadlineAfter(std::chrono::microseconds timeout) const {
  if (timeout <= timeout.zero()) return std::nullopt;
  return executor_.Now() + std::min(timeout, kLongestTimeout);
}

void Association::Arm(TimePoint deadline) {
  // A call that ends does not disarm: mostly the timer is armed already for an earlier time.
  if (!deadline_timer_.when() || deadline < *deadline_timer_.when()) deadline_timer_.Arm(deadline);
}

void Association::OnDeadline() {
  const TimePoint now = executor_.Now();
  std::vector<std::pair<std::string, ReplyCallback>> late;
  std::vector<internal::IncomingCalls::Waiters> cancelled;
  const bool found = internal::IfMemory([&] {
    for (uint32_t id : outgoing_.Due(now)) {
      const auto* call = outgoing_.Find(id);
      const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(call->timeout);
      late.emplace_back(MethodName(*call->protocol, *call->method) + ": no reply within " +
                            std::to_string(waited.count()) + " ms, the call's deadline" +
                            (waited == limits().call_timeout
                                 ? ", " + internal::HitLimit(internal::Limit::kCallTimeout)
                                 : std::string()),
                        ReplyCallback());
      late.back().second = outgoing_.Abandon(id);
      SendCancel(id);
    }
    for (uint32_t id : incoming_.TakeDue(now)) {
      cancelled.emplace_back();
      cancelled.back() = incoming_.MarkCancelled(id);
    }
  });
  if (!found) {
    EndForLackOfMemory();  // Which tells those that are left. Armed, it would come again first.
  } else if (auto next = Earlier(outgoing_.EarliestDeadline(), incoming_.EarliestDeadline())) {
    Arm(*next);
  }
  // User code from here on: it may destroy this.
  for (auto& [text, done] : late) {
    if (done) done(Error(StatusCode::kDeadlineExceeded, std::move(text)));
  }
  for (auto& waiters : cancelled) waiters.Tell();
}

void Association::LetGo(IncomingMessage& message, const MethodInfo& method) {
  // Finds the names, which then go with the message.
  static_cast<void>(CheckPayload(message, method.results()));
}

Status Association::CheckPayload(IncomingMessage& message, const internal::PayloadType& type) {
  Status sound = message.CheckPayload(type);
  std::vector<uint64_t> ids;
  for (const internal::ObjectName& name : message.object_names()) {
    if (!name.receivers) ids.push_back(name.id);
  }
  if (!ids.empty()) message.handles().SetObjects(std::move(ids), *this);
  if (message.memory_names().empty()) return sound;
  Status borrowed = BorrowMemory(message);
  return sound.ok() ? borrowed : sound;
}

std::string Association::SchemaNote(const Protocol& protocol) const {
  if (!schemas_) return "";
  for (const auto& [id, hash] : schemas_->served) {
    if (id == protocol.id && hash != protocol.schema_hash) {
      return "; the two sides were built from different schemas of " + std::string(protocol.name);
    }
  }
  return "";
}

}  // namespace lwmsg
