#pragma once

#include <lwmsg/lwmsg.capnp.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lwmsg/channel.h"
#include "lwmsg/payload.h"
#include "lwmsg/session.h"
#include "lwmsg/token.h"

namespace lwmsg {

class Association;

// A received call before its types are known: its request, and the duty to answer it once.
// Move-only; dropped unanswered, the caller gets kAborted. Belongs to the loop of its association;
// when that is gone, answering does nothing.
class IncomingCall {
 public:
  IncomingCall(internal::Link<Association> association, uint32_t id, const Protocol& protocol,
               uint16_t method, IncomingMessage request);
  IncomingCall(IncomingCall&&) noexcept = default;
  IncomingCall& operator=(IncomingCall&& other) noexcept;
  ~IncomingCall();

  uint64_t interface_id() const { return protocol_->id; }
  uint16_t method() const { return method_; }
  // "Calculator.add".
  std::string name() const;
  const Token& peer() const { return peer_; }
  IncomingMessage& request() { return request_; }
  // The reply, made when it is first asked for. Not after Reply or Fail.
  OutgoingMessage& reply();

  void Reply();
  void Fail(const Status& status);
  // Inside a catch clause: answers with what was thrown.
  void FailWithCurrentException();

  // True once the caller gave up, its deadline passed, or the association ended.
  bool cancelled() const;
  // Runs `callback` once on the loop when that happens; at once if it has. Replaces an earlier one.
  void OnCancel(UniqueFunction<void()> callback);
  // For calls to the caller. Null target once the association is gone.
  Channel channel() const;
  // Null once the association is gone.
  Session* session() const;

 private:
  // A moved-from call has no duty.
  struct Pending {
    Pending() = default;
    Pending(Pending&& other) noexcept : value(std::exchange(other.value, false)) {}
    Pending& operator=(Pending&& other) noexcept {
      value = std::exchange(other.value, false);
      return *this;
    }
    explicit operator bool() const { return value; }
    bool value = true;
  };
  void Drop();

  Pending pending_;
  internal::Link<Association> association_;
  uint32_t id_;
  const Protocol* protocol_;
  uint16_t method_;
  Token peer_;
  IncomingMessage request_;
  std::optional<OutgoingMessage> reply_;
};

namespace internal {

// Inside a catch clause: what the caller of a handler that threw gets.
Status StatusOfCurrentException();

inline Status SessionGone() {
  return Status(StatusCode::kUnavailable, "the association of this call is gone");
}

// What handlers get, with and without reply: the request, who sent it, and its session's objects.
template <typename P>
class CallBase {
 public:
  explicit CallBase(IncomingCall call)
      : raw_(std::move(call)),
        params_(raw_.request().payload().template getAs<typename P::Schema>(),
                raw_.request().handles()) {}

  typename P::Reader* operator->() { return &params_; }
  typename P::Reader& params() { return params_; }
  // Who calls, as the kernel reported it.
  const Token& peer() const { return raw_.peer(); }
  // The OS handle of a field at any depth of the params; see IncomingHandles::Take.
  Result<OsHandle> Take(schema::OsHandle::Reader field) {
    return raw_.request().handles().Take(field);
  }
  // For calls back to the caller, also inside the handler.
  Channel channel() const { return raw_.channel(); }

  // The object that the caller's `Handle(Kind)` names, if it was registered as a T. Error:
  // kInvalidHandle, kUnavailable if the association is gone.
  template <typename T, typename HandleReader>
  Result<std::shared_ptr<T>> Resolve(HandleReader handle) const {
    Session* session = raw_.session();
    if (session == nullptr) return Error(SessionGone());
    return session->Resolve<T>(KindOf(handle), handle.getId());
  }
  // Takes the name back: it never resolves again. The object goes when its last user lets go.
  template <typename HandleReader>
  Status Unregister(HandleReader handle) const {
    Session* session = raw_.session();
    if (session == nullptr) return SessionGone();
    return session->Unregister(KindOf(handle), handle.getId());
  }

 protected:
  template <typename Object>
  static constexpr uint64_t KindId(schema::Handle<Object>* /*type*/) {
    return capnp::typeId<Object>();
  }
  template <typename HandleReader>
  static constexpr uint64_t KindOf(const HandleReader& /*handle*/) {
    return KindId(static_cast<typename HandleReader::Reads*>(nullptr));
  }

  IncomingCall raw_;

 private:
  typename P::Reader params_;
};

}  // namespace internal

// What the handler of a method gets: the request and the duty to answer it once, by Reply or Fail.
// Move-only; keep it to answer later. Dropped unanswered, the caller gets kAborted. Belongs to its
// loop: to answer from another thread, move it there and back with Loop::Post.
template <typename P, typename R>
class Call : public internal::CallBase<P> {
 public:
  using internal::CallBase<P>::CallBase;

  // The results, to be filled before Reply.
  typename R::Builder& results() {
    if (!results_) {
      OutgoingMessage& reply = this->raw_.reply();
      results_.emplace(reply.payload().template initAs<typename R::Schema>(), reply.handles());
    }
    return *results_;
  }
  // Gives an OS handle to a field at any depth of the results; see OutgoingHandles::Put.
  void Put(schema::OsHandle::Builder field, OsHandle handle) {
    this->raw_.reply().handles().Put(field, std::move(handle));
  }
  // Registers `object` in the caller's session and names it in `handle`, a `Handle(T)` of the
  // results. Error: kResourceExhausted at Limits::max_objects, kUnavailable if the association is
  // gone.
  template <typename T, typename HandleBuilder>
  Status Register(HandleBuilder handle, std::shared_ptr<T> object) {
    Session* session = this->raw_.session();
    if (session == nullptr) return internal::SessionGone();
    auto id = session->Register(this->KindId(static_cast<typename HandleBuilder::Builds*>(nullptr)),
                                std::move(object));
    if (!id) return std::move(id).error();
    handle.setId(*id);
    return Status();
  }

  // Sends the results. Does nothing if the call is answered already.
  void Reply() {
    results();
    this->raw_.Reply();
  }
  // Sends an error: what was wrong, where, and what to do. An OK code counts as kInternal.
  void Fail(const Status& status) { this->raw_.Fail(status); }
  void Fail(StatusCode code, std::string message) { Fail(Status(code, std::move(message))); }

  void FailWithCurrentException() { this->raw_.FailWithCurrentException(); }

  // True once the answer is no longer wanted: the caller gave up, its deadline passed, or the
  // association ended. Answering is still allowed.
  bool cancelled() const { return this->raw_.cancelled(); }
  // Runs `callback` once on the loop when that happens; at once if it has. Replaces an earlier one.
  void OnCancel(UniqueFunction<void()> callback) { this->raw_.OnCancel(std::move(callback)); }

 private:
  std::optional<typename R::Builder> results_;
};

// What the handler of a `$Lwmsg.oneway` method gets: nobody waits for an answer.
template <typename P>
class OneWayCall : public internal::CallBase<P> {
 public:
  using internal::CallBase<P>::CallBase;
};

}  // namespace lwmsg
