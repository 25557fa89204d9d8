// Association: the peer's calls.
#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "lwmsg/association.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/limit_hits.h"

namespace lwmsg {
namespace {

// Of items that a caller of a stream allows; more makes no sense and might overflow.
constexpr uint32_t kMaxCredit = 65535;

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

}  // namespace

Result<Association::Callee> Association::FindCallee(uint64_t interface_id, uint64_t object) const {
  if (object == 0) {
    const ServiceTable::Entry* entry = services_.Find(interface_id);
    if (entry == nullptr) return Error(Unserved(services_, interface_id));
    return Callee{entry->protocol, entry->service, nullptr};
  }
  auto service = session_->FindService(object);
  if (!service) return Error(std::move(service).error());
  const Protocol* protocol = FindProtocol(**service, interface_id);
  if (protocol == nullptr) {
    return Error(StatusCode::kUnimplemented, "session object " + std::to_string(object) + " is a " +
                                                 (*service)->protocol().name +
                                                 " and has no interface " + Hex(interface_id));
  }
  Service* callee = service->get();
  return Callee{protocol, callee, std::move(*service)};
}

Status Association::Admit(const Protocol& protocol, uint16_t method, IncomingMessage& message) {
  if (method >= protocol.methods.size()) {
    return Status(StatusCode::kUnimplemented, std::string(protocol.name) + " has no method " +
                                                  std::to_string(method) + " here, only " +
                                                  std::to_string(protocol.methods.size()));
  }
  const MethodInfo& info = protocol.methods[method];
  const auto call = message.state().envelope->getCall();
  const bool one_way = info.kind == MethodKind::kOneWay;
  if (one_way != (call.getId() == 0)) {
    return Status(StatusCode::kMalformed,
                  MethodName(protocol, info) + (one_way ? " is one-way, but the call wants a reply"
                                                        : " has a reply, but the call is one-way"));
  }
  const bool stream = info.kind == MethodKind::kStream;
  if (stream != (call.getCredit() != 0) || call.getCredit() > kMaxCredit) {
    return Status(StatusCode::kMalformed, MethodName(protocol, info) + (stream ? " is" : " is no") +
                                              " stream, but the call gives credit of " +
                                              std::to_string(call.getCredit()));
  }
  if (state_ == State::kDraining) {
    return Status(StatusCode::kUnavailable, "the service is ending and takes no more calls");
  }
  if (incoming_.size() >= limits().max_calls) {
    return Status(StatusCode::kResourceExhausted,
                  "more than " + std::to_string(limits().max_calls) +
                      " calls of one peer without an answer, " +
                      internal::HitLimit(internal::Limit::kMaxCalls));
  }
  if (const auto& all = message.state().received.all(); all && all->over()) {
    return Status(
        StatusCode::kResourceExhausted,
        "what this user's peers sent, and handlers have not let go of yet, is more than " +
            std::to_string(all->most()) + " bytes, " +
            internal::HitLimit(internal::Limit::kMaxReceivedBytes) + "; try again later");
  }
  if (Status room = message.state().CheckHeldHandles(); !room.ok()) return room;
  if (one_way && oneway_calls_ >= limits().max_oneway_calls) {
    return Status(StatusCode::kResourceExhausted,
                  std::to_string(oneway_calls_) +
                      " one-way calls of one peer are in their handlers' hands, " +
                      internal::HitLimit(internal::Limit::kMaxOnewayCalls));
  }
  Status sound = CheckPayload(message, info.params());
  if (sound.ok()) return sound;
  return Status(sound.code(), "request of " + MethodName(protocol, info) + ": " + sound.message());
}

void Association::Refuse(IncomingMessage& message, const Protocol* protocol, const Status& reason) {
  const auto call = message.state().envelope->getCall();
  const uint32_t id = call.getId();
  log().Write(LogLevel::kWarning,
              [&] { return "refused a call of " + peer().ToString() + ": " + reason.ToString(); });
  auto report =
      Report(CallDirection::kIncoming, protocol, call.getInterfaceId(), call.getMethod(), id);
  if (report) report->End(reason);
  if (id != 0) SendError(id, reason);
  // What came too early or too often may be right.
  if (reason.code() == StatusCode::kResourceExhausted ||
      reason.code() == StatusCode::kUnavailable) {
    return;
  }
  if (++bad_calls_ <= limits().max_bad_calls) return;
  End(Status(StatusCode::kPermissionDenied, std::to_string(bad_calls_) +
                                                " calls in a row could not be carried out, " +
                                                internal::HitLimit(internal::Limit::kMaxBadCalls) +
                                                "; the last: " + reason.ToString()),
      true);
}

void Association::OnCall(IncomingMessage message) {
  const auto call = message.state().envelope->getCall();
  const uint32_t id = call.getId();
  if (id != 0 && incoming_.Find(id) != nullptr) {
    return End(Status(StatusCode::kMalformed,
                      "call id " + std::to_string(id) + " is in use by a call without an answer"),
               true);
  }
  auto callee = FindCallee(call.getInterfaceId(), call.getObject());
  auto understood = callee ? Understands(*callee->protocol, call.getSchemaHash()) : callee.error();
  if (!understood) {
    understood = message.state().CheckHeldHandles();
    if (understood->ok()) {
      return AskForSchema(*callee->protocol, call.getSchemaHash(), std::move(message));
    }
  }
  Status admitted =
      understood->ok() ? Admit(*callee->protocol, call.getMethod(), message) : *understood;
  if (!admitted.ok()) return Refuse(message, callee ? callee->protocol : nullptr, admitted);
  bad_calls_ = 0;
  if (id == 0) ++oneway_calls_;
  internal::CallKey key;
  if (id != 0) {
    const auto timeout = std::min<uint64_t>(call.getTimeoutMicros(), INT64_MAX);
    const auto deadline =
        DeadlineOnArrival(std::chrono::microseconds(static_cast<int64_t>(timeout)));
    const Protocol& protocol = *callee->protocol;
    key = incoming_.Add({.id = id,
                         .protocol = &protocol,
                         .method = &protocol.methods[call.getMethod()],
                         .started = executor_.TurnTime(),
                         .deadline = deadline,
                         .credit = call.getCredit()});
    if (deadline) Arm(*deadline);
  }
  const uint16_t method = call.getMethod();
  auto report =
      Report(CallDirection::kIncoming, callee->protocol, callee->protocol->id, method, id);
  if (id != 0) incoming_.Find(id)->report = std::exchange(report, nullptr);
  Dispatch(*callee,
           IncomingCall(ref(), key, *callee->protocol, method, std::move(message), callee->object));
  if (report) report->End(Status());  // One-way.
}

void Association::Dispatch(const Callee& callee, IncomingCall call) {
  // The object stays for as long as its method runs, whatever that does with its call.
  auto run = [ref = call.association(), service = callee.service, object = callee.object,
              key = call.key()](IncomingCall taken) {
    Status thrown = internal::RunHandler(*service, std::move(taken));
    if (thrown.ok()) return;
    ref.Run([key, reason = std::move(thrown)](Association& association) {
      association.AnswerError(key, reason);
    });
  };
  if (environment_->workers == nullptr || !call.protocol().methods[call.method()].blocking) {
    return run(std::move(call));
  }
  DispatchToWorkers(std::move(run), std::move(call));
}

void Association::DispatchToWorkers(UniqueFunction<void(IncomingCall)> run, IncomingCall call) {
  if (environment_->workers->busy(peer())) {
    return call.Fail(Status(StatusCode::kResourceExhausted,
                            call.name() + ": too many calls wait for a thread of the server, "
                                          "ServerOptions::threads; try again later"));
  }
  call.stop_token();  // Made while this is its loop.
  // What waits for a thread is let go of as soon as nobody wants its answer: a peer that comes and
  // goes would pile it up.
  struct Waiting {
    std::mutex mutex;
    std::optional<IncomingCall> call;
  };
  const auto waiting = std::make_shared<Waiting>();
  const auto take = [waiting] {
    const std::lock_guard lock(waiting->mutex);
    return std::exchange(waiting->call, std::nullopt);
  };
  call.OnCancel([take] { static_cast<void>(take()); });
  waiting->call.emplace(std::move(call));
  try {
    environment_->workers->Run(peer(), [run = std::move(run), take]() mutable {
      if (auto taken = take()) run(std::move(*taken));
    });
  } catch (const std::system_error& error) {
    if (auto taken = take()) {
      taken->Fail(internal::StatusIfMemory([&] {
        return Status(StatusCode::kResourceExhausted,
                      taken->name() + ": the server has no thread for it: " + error.what());
      }));
    }
  }
}

void Association::Answer(const internal::CallKey& key, const Protocol& protocol, uint16_t method,
                         OutgoingMessage reply) try {
  auto* call = incoming_.Find(key);
  if (call == nullptr) return;
  const uint32_t items = call->items;
  Status sendable = CheckOutgoing(protocol, protocol.methods[method], reply);
  if (sendable.code() == StatusCode::kInvalidArgument) {
    // What the handler filled in wrong is not the caller's to mend.
    sendable = Status(StatusCode::kInternal, sendable.message());
  }
  ReportAnswer(*call, sendable);
  incoming_.Remove(key.id);
  if (sendable.ok()) {
    auto envelope = reply.state().envelope.getReply();
    envelope.setId(key.id);
    envelope.setItems(items);
    Send(std::move(reply));
  } else {
    SendError(key.id, sendable);
  }
  CloseIfDrained();
} catch (const std::bad_alloc&) {
  EndForLackOfMemory();
}

void Association::AnswerError(const internal::CallKey& key, const Status& status) {
  auto* call = incoming_.Find(key);
  if (call == nullptr) return;
  internal::IfMemory([&] { ReportAnswer(*call, status); });
  incoming_.Remove(key.id);
  SendError(key.id, status);
  CloseIfDrained();
}

void Association::SendError(uint32_t id, const Status& status) try {
  OutgoingMessage message = OutgoingMessage::ForReply(0, 0);
  auto reply = message.state().envelope.getReply();
  reply.setId(id);
  reply.setStatus(static_cast<uint16_t>(status.ok() ? StatusCode::kInternal : status.code()));
  reply.setMessage(status.ok() ? "the service failed with status OK" : status.message());
  Send(std::move(message));
} catch (const std::bad_alloc&) {
  EndForLackOfMemory();
}

void Association::AnswerDropped(const internal::CallKey& key) try {
  const auto* call = incoming_.Find(key);
  if (call == nullptr) return;
  const std::string what =
      "the service let go of " + MethodName(*call->protocol, *call->method) + " without an answer";
  // The caller may hear this before its own clock says the same.
  const StatusCode code = call->expired     ? StatusCode::kDeadlineExceeded
                          : call->cancelled ? StatusCode::kCancelled
                                            : StatusCode::kAborted;
  AnswerError(key, Status(code, what + (call->expired ? " when its deadline had passed" : "")));
} catch (const std::bad_alloc&) {
  EndForLackOfMemory();
}

bool Association::IsCancelled(const internal::CallKey& key) const {
  if (state_ == State::kClosed) return true;
  if (key.id == 0) return false;
  const auto* call = incoming_.Find(key);
  return call == nullptr || call->cancelled;
}

void Association::SetOnCancel(const internal::CallKey& key, UniqueFunction<void()> callback) {
  if (auto* call = incoming_.Find(key)) call->waiters.on_cancel = std::move(callback);
}

std::stop_token Association::StopTokenOf(const internal::CallKey& key) {
  auto* call = incoming_.Find(key);
  std::stop_source source;
  if (call == nullptr) return source.get_token();
  if (!call->waiters.stop) call->waiters.stop = source;
  return call->waiters.stop->get_token();
}

void Association::OnCancel(IncomingMessage message) {
  incoming_.MarkCancelled(message.state().envelope->getCancel().getId()).Tell();
}

// --- Streams.

Status Association::SendItem(const internal::CallKey& key, const Protocol& protocol,
                             uint16_t method, OutgoingMessage& item) try {
  const MethodInfo& info = protocol.methods[method];
  auto* call = incoming_.Find(key);
  if (call == nullptr || call->cancelled) {
    return Status(StatusCode::kUnavailable,
                  MethodName(protocol, info) + ": the caller takes no more items");
  }
  if (call->credit == 0) {
    return Status(StatusCode::kResourceExhausted,
                  MethodName(protocol, info) +
                      ": the caller has no room for an item now; wait for OnCredit or Ready");
  }
  Status sendable = CheckOutgoing(protocol, info, item);
  if (!sendable.ok()) return sendable;
  --call->credit;
  ++call->items;
  item.state().envelope.getItem().setId(key.id);
  Send(std::move(item));
  return Status();
} catch (const std::bad_alloc&) {
  return internal::OutOfMemory();
}

uint32_t Association::Credit(const internal::CallKey& key) const {
  const auto* call = incoming_.Find(key);
  return call == nullptr || call->cancelled ? 0 : call->credit;
}

void Association::SetOnCredit(const internal::CallKey& key, UniqueFunction<void()> callback) {
  if (auto* call = incoming_.Find(key)) call->waiters.on_credit = std::move(callback);
}

void Association::OnCredit(IncomingMessage message) {
  const auto credit = message.state().envelope->getCredit();
  auto* call = incoming_.Find(credit.getId());
  if (call == nullptr) return;
  if (credit.getItems() > kMaxCredit - call->credit) {
    return End(Status(StatusCode::kMalformed, "credit of " + std::to_string(credit.getItems()) +
                                                  " items on top of " +
                                                  std::to_string(call->credit) + "; at most " +
                                                  std::to_string(kMaxCredit) + " may be open"),
               true);
  }
  call->credit += credit.getItems();
  auto on_credit = std::exchange(call->waiters.on_credit, {});
  if (on_credit) on_credit();
}

// --- Session objects.

void Association::OnRelease(IncomingMessage message) {
  const auto release = message.state().envelope->getRelease();
  const auto session = session_;  // The object's destructor may destroy this.
  const auto link = anchor_.link();
  Status released = session->Release(release.getObject(), release.getCount());
  if (link.get() != nullptr && !released.ok()) End(std::move(released), true);
}

}  // namespace lwmsg
