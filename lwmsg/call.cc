#include "lwmsg/call.h"

#include <kj/exception.h>

#include <exception>
#include <new>

#include "lwmsg/association.h"
#include "lwmsg/internal/spare_memory.h"

namespace lwmsg {
namespace {

Status StatusOfCurrentException() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return internal::OutOfMemory();
  } catch (const kj::Exception& error) {
    return Status(StatusCode::kMalformed, std::string("the handler could not read the request: ") +
                                              error.getDescription().cStr());
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, std::string("the handler threw: ") + error.what());
  } catch (...) {
    return Status(StatusCode::kInternal, "the handler threw something that is no std::exception");
  }
}

// A handler that runs on this thread. Its call, if an exception destroys it, leaves the answer to
// RunHandler, which knows what was thrown.
class HandlerScope {
 public:
  explicit HandlerScope(const IncomingCall& call)
      : association_(call.association().link().key()),
        key_(call.key()),
        exceptions_(std::uncaught_exceptions()),
        outer_(current) {
    current = this;
  }
  HandlerScope(const HandlerScope&) = delete;
  HandlerScope& operator=(const HandlerScope&) = delete;
  ~HandlerScope() { current = outer_; }

  static bool IsThrowing(const void* association, const internal::CallKey& key) {
    return current != nullptr && current->association_ == association && current->key_ == key &&
           std::uncaught_exceptions() > current->exceptions_;
  }

 private:
  static thread_local HandlerScope* current;

  const void* association_;
  internal::CallKey key_;
  int exceptions_;
  HandlerScope* outer_;
};

thread_local HandlerScope* HandlerScope::current = nullptr;

}  // namespace

Status internal::RunHandler(Service& service, IncomingCall call) {
  const HandlerScope scope(call);
  const Protocol& protocol = call.protocol();
  const MethodInfo& method = protocol.methods[call.method()];
  try {
    service.DispatchIncoming(std::move(call));
    return Status();
  } catch (...) {
    try {
      const Status thrown = StatusOfCurrentException();
      return Status(thrown.code(), MethodName(protocol, method) + ": " + thrown.message());
    } catch (const std::bad_alloc&) {
      return OutOfMemory();
    }
  }
}

IncomingCall::IncomingCall(internal::LoopRef<Association> association, internal::CallKey key,
                           const Protocol& protocol, uint16_t method, IncomingMessage request,
                           std::shared_ptr<Service> object)
    : association_(std::move(association)),
      key_(key),
      protocol_(&protocol),
      method_(method),
      peer_(association_.get()->peer()),
      session_(association_.get()->session()),
      object_(std::move(object)),
      request_(std::move(request)) {}

IncomingCall& IncomingCall::operator=(IncomingCall&& other) noexcept {
  if (this == &other) return *this;
  Drop();
  pending_ = std::move(other.pending_);
  association_ = std::move(other.association_);
  key_ = other.key_;
  protocol_ = other.protocol_;
  method_ = other.method_;
  peer_ = std::move(other.peer_);
  session_ = std::move(other.session_);
  object_ = std::move(other.object_);
  request_ = std::move(other.request_);
  reply_ = std::move(other.reply_);
  stop_token_ = std::move(other.stop_token_);
  return *this;
}

IncomingCall::~IncomingCall() { Drop(); }

void IncomingCall::Drop() {
  if (!pending_) return;
  if (protocol_->methods[method_].kind == MethodKind::kOneWay) {
    pending_.value = false;
    return association_.Run([](Association& association) { association.OnOnewayDone(); });
  }
  if (HandlerScope::IsThrowing(association_.link().key(), key_)) return;
  pending_.value = false;
  association_.Run([key = key_](Association& association) { association.AnswerDropped(key); });
}

std::string IncomingCall::name() const {
  return MethodName(*protocol_, protocol_->methods[method_]);
}

OutgoingMessage& IncomingCall::reply() {
  if (!reply_) {
    reply_ = protocol_->methods[method_].kind == MethodKind::kStream && pending_
                 ? OutgoingMessage::ForItem(protocol_->id, method_)
                 : OutgoingMessage::ForReply(protocol_->id, method_);
    reply_->handles().set_session(session_);
  }
  return *reply_;
}

void IncomingCall::Reply() {
  if (!pending_) return;
  OutgoingMessage filled = std::move(reply());
  reply_.reset();
  pending_.value = false;
  association_.Run([key = key_, protocol = protocol_, method = method_,
                    answer = std::move(filled)](Association& association) mutable {
    association.Answer(key, *protocol, method, std::move(answer));
  });
}

void IncomingCall::Fail(const Status& status) {
  if (!pending_) return;
  pending_.value = false;
  association_.Run([key = key_, reason = internal::CopyIfMemory(status)](Association& association) {
    association.AnswerError(key, reason);
  });
}

void IncomingCall::FailWithCurrentException() {
  try {
    Fail(StatusOfCurrentException());
  } catch (const std::bad_alloc&) {
    Fail(internal::OutOfMemory());
  }
}

Status IncomingCall::SendItem() {
  Association* association = association_.get();
  if (!pending_ || association == nullptr) {
    return Status(StatusCode::kUnavailable, name() + ": the stream has ended");
  }
  Status sent = association->SendItem(key_, *protocol_, method_, reply());
  if (sent.ok()) reply_.reset();
  return sent;
}

uint32_t IncomingCall::credit() const {
  Association* association = association_.get();
  return association == nullptr ? 0 : association->Credit(key_);
}

void IncomingCall::OnCredit(UniqueFunction<void()> callback) {
  if (!pending_ || credit() != 0 || CancelledOnLoop()) return callback();
  association_.get()->SetOnCredit(key_, std::move(callback));
}

bool IncomingCall::cancelled() const {
  return stop_token_ ? stop_token_->stop_requested() : CancelledOnLoop();
}

bool IncomingCall::CancelledOnLoop() const {
  Association* association = association_.get();
  if (association == nullptr) return true;
  // Of a call with an answer nothing is known any more.
  if (!pending_) return association->state() == Association::State::kClosed;
  return association->IsCancelled(key_);
}

std::stop_token IncomingCall::stop_token() {
  if (!stop_token_) {
    if (!CancelledOnLoop()) {
      stop_token_ = association_.get()->StopTokenOf(key_);
    } else {
      std::stop_source stopped;
      stopped.request_stop();
      stop_token_ = stopped.get_token();
    }
  }
  return *stop_token_;
}

void IncomingCall::OnCancel(UniqueFunction<void()> callback) {
  if (CancelledOnLoop()) return callback();
  association_.get()->SetOnCancel(key_, std::move(callback));
}

Channel IncomingCall::channel() const {
  Association* association = association_.get();
  return association == nullptr ? Channel() : association->channel();
}

}  // namespace lwmsg
