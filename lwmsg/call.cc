#include "lwmsg/call.h"

#include <kj/exception.h>

#include <exception>

#include "lwmsg/association.h"

namespace lwmsg {

Status internal::StatusOfCurrentException() {
  try {
    throw;
  } catch (const kj::Exception& error) {
    return Status(StatusCode::kMalformed, std::string("the handler could not read the request: ") +
                                              error.getDescription().cStr());
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, std::string("the handler threw: ") + error.what());
  } catch (...) {
    return Status(StatusCode::kInternal, "the handler threw something that is no std::exception");
  }
}

IncomingCall::IncomingCall(internal::Link<Association> association, uint32_t id,
                           const Protocol& protocol, uint16_t method, IncomingMessage request)
    : association_(std::move(association)),
      id_(id),
      protocol_(&protocol),
      method_(method),
      peer_(association_.get()->peer()),
      request_(std::move(request)) {}

IncomingCall& IncomingCall::operator=(IncomingCall&& other) noexcept {
  if (this == &other) return *this;
  Drop();
  pending_ = std::move(other.pending_);
  association_ = std::move(other.association_);
  id_ = other.id_;
  protocol_ = other.protocol_;
  method_ = other.method_;
  peer_ = std::move(other.peer_);
  request_ = std::move(other.request_);
  reply_ = std::move(other.reply_);
  return *this;
}

IncomingCall::~IncomingCall() { Drop(); }

void IncomingCall::Drop() {
  Association* association = association_.get();
  if (!pending_ || association == nullptr || association->HandlerIsThrowing(id_)) return;
  Fail(Status(StatusCode::kAborted, "the service let go of " + name() + " without an answer"));
}

std::string IncomingCall::name() const {
  return MethodName(*protocol_, protocol_->methods[method_]);
}

OutgoingMessage& IncomingCall::reply() {
  if (!reply_) reply_ = OutgoingMessage::ForReply();
  return *reply_;
}

void IncomingCall::Reply() {
  if (!pending_) return;
  pending_.value = false;
  if (Association* association = association_.get()) {
    association->Answer(id_, *protocol_, method_, std::move(reply()));
  }
}

void IncomingCall::Fail(const Status& status) {
  if (!pending_) return;
  pending_.value = false;
  if (Association* association = association_.get()) association->AnswerError(id_, status);
}

void IncomingCall::FailWithCurrentException() { Fail(internal::StatusOfCurrentException()); }

bool IncomingCall::cancelled() const {
  Association* association = association_.get();
  return association == nullptr || association->IsCancelled(id_);
}

void IncomingCall::OnCancel(UniqueFunction<void()> callback) {
  Association* association = association_.get();
  if (cancelled()) return callback();
  association->SetOnCancel(id_, std::move(callback));
}

Channel IncomingCall::channel() const {
  Association* association = association_.get();
  return association == nullptr ? Channel() : association->channel();
}

Session* IncomingCall::session() const {
  Association* association = association_.get();
  return association == nullptr ? nullptr : &association->session();
}

}  // namespace lwmsg
