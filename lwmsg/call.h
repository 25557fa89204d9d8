#pragma once

#include <lwmsg/lwmsg.capnp.h>

#include <coroutine>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "lwmsg/channel.h"
#include "lwmsg/handle.h"
#include "lwmsg/internal/call_key.h"
#include "lwmsg/payload.h"
#include "lwmsg/session.h"
#include "lwmsg/token.h"

namespace lwmsg {

class Association;

// A received call before its types are known: its request, and the duty to answer it once.
// Move-only; dropped unanswered, the caller gets kAborted. May move to another thread and be
// answered there; when its association is gone, answering does nothing.
class IncomingCall {
 public:
  // On the loop of `association`. `object` is what the call is for, null for the service itself; it
  // is kept alive for as long as the call is.
  IncomingCall(internal::LoopRef<Association> association, internal::CallKey key,
               const Protocol& protocol, uint16_t method, IncomingMessage request,
               std::shared_ptr<Service> object);
  IncomingCall(IncomingCall&&) noexcept = default;
  IncomingCall& operator=(IncomingCall&& other) noexcept;
  ~IncomingCall();

  const internal::CallKey& key() const { return key_; }
  const Protocol& protocol() const { return *protocol_; }
  uint64_t interface_id() const { return protocol_->id; }
  uint16_t method() const { return method_; }
  // "Calculator.add".
  std::string name() const;
  const Token& peer() const { return peer_; }
  const internal::LoopRef<Association>& association() const { return association_; }
  const std::shared_ptr<Session>& session() const { return session_; }
  IncomingMessage& request() { return request_; }
  // The reply, or the next item of a stream, made when it is first asked for.
  OutgoingMessage& reply();

  void Reply();
  void Fail(const Status& status);
  // Inside a catch clause: answers with what was thrown.
  void FailWithCurrentException();

  // On the loop, for streams; see StreamCall.
  Status SendItem();
  uint32_t credit() const;
  void OnCredit(UniqueFunction<void()> callback);

  // True once the caller gave up, its deadline passed, an item could not be sent, or the
  // association ended. From another thread than the loop's only if `stop_token` was asked for
  // before.
  bool cancelled() const;
  // Asked to stop when that happens. First called on the loop.
  std::stop_token stop_token();
  // On the loop: runs `callback` once there when that happens; at once if it has. Replaces an
  // earlier one.
  void OnCancel(UniqueFunction<void()> callback);
  // On the loop: for calls to the caller. Null target once the association is gone.
  Channel channel() const;

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
  bool CancelledOnLoop() const;

  Pending pending_;
  internal::LoopRef<Association> association_;
  internal::CallKey key_;
  const Protocol* protocol_;
  uint16_t method_;
  Token peer_;
  std::shared_ptr<Session> session_;
  std::shared_ptr<Service> object_;
  IncomingMessage request_;
  std::optional<OutgoingMessage> reply_;
  std::optional<std::stop_token> stop_token_;
};

namespace internal {

// Runs the handler of `call` and returns what it threw as a status, OK if nothing. A call that the
// exception destroyed has no answer yet.
Status RunHandler(Service& service, IncomingCall call);

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
  // What the session's constructor made for this caller (ServerOptions::on_session); null if it
  // made no T.
  template <typename T>
  std::shared_ptr<T> session_data() const {
    return raw_.session()->template data<T>();
  }
  // On the loop: for calls back to the caller, also inside the handler.
  Channel channel() const { return raw_.channel(); }

  // The OS handle of a field at any depth of the params; see IncomingHandles::Take.
  Result<OsHandle> Take(schema::OsHandle::Reader field) {
    return raw_.request().handles().Take(field);
  }
  // The bytes of a `SharedMemory` at any depth of the params; see IncomingHandles::Take.
  Result<SharedMemory> Take(schema::SharedMemory::Reader field) {
    return raw_.request().handles().Take(field);
  }
  // The caller's object that a `Handle(T)` at any depth of the params names.
  template <typename HandleReader>
    requires requires { typename HandleReader::Reads; }
  auto TakeObject(HandleReader field) {
    return raw_.request().handles().Take(field);
  }
  // The object of this side that a `Handle(Kind)` of the params names, if it was registered as a T.
  // Error: kInvalidHandle.
  template <typename T, typename HandleReader>
  Result<std::shared_ptr<T>> Resolve(HandleReader handle) const {
    if (!handle.getReceivers()) return Error(NotOfThisSide(handle.getId()));
    return raw_.session()->template Resolve<T>(capnp::typeId<ObjectRead<HandleReader>>(),
                                               handle.getId());
  }
  // Takes the name back: it never resolves again. The object goes when its last user lets go.
  // Error: kInvalidHandle.
  template <typename HandleReader>
  Status Unregister(HandleReader handle) const {
    if (!handle.getReceivers()) return NotOfThisSide(handle.getId());
    return raw_.session()->Unregister(capnp::typeId<ObjectRead<HandleReader>>(), handle.getId());
  }

  // Asked to stop once the answer is no longer wanted: the caller gave up, its deadline passed, or
  // the association ended. Usable on any thread; asked for first on the loop, or in a blocking
  // handler.
  std::stop_token stop_token() { return raw_.stop_token(); }

 protected:
  static Status NotOfThisSide(uint64_t id) {
    return Status(StatusCode::kInvalidHandle,
                  "object " + std::to_string(id) + " is the caller's own, not one of this side");
  }

  IncomingCall raw_;

 private:
  typename P::Reader params_;
};

// What Call and StreamCall share: the duty to answer, and the results being filled.
template <typename P, typename R>
class AnsweredCall : public CallBase<P> {
 public:
  using CallBase<P>::CallBase;

  // Gives an OS handle to a field at any depth of the results; see OutgoingHandles::Put.
  void Put(schema::OsHandle::Builder field, OsHandle handle) {
    this->raw_.reply().handles().Put(field, std::move(handle));
  }
  // Gives bytes to a `SharedMemory` at any depth of the results.
  void Put(schema::SharedMemory::Builder field, WritableMemory memory) {
    this->raw_.reply().handles().Put(field, std::move(memory));
  }
  // Names an object in a `Handle(T)` at any depth of the results; see OutgoingHandles::Register.
  template <typename T, typename HandleBuilder>
  Status Register(HandleBuilder field, const std::shared_ptr<T>& object) {
    return this->raw_.reply().handles().Register(field, object);
  }

  // Sends an error: what was wrong, where, and what to do. An OK code counts as kInternal. Does
  // nothing if the call is answered already. Any thread.
  void Fail(const Status& status) { this->raw_.Fail(status); }
  void Fail(StatusCode code, std::string message) { Fail(Status(code, std::move(message))); }
  void FailWithCurrentException() { this->raw_.FailWithCurrentException(); }

  // True once the answer is no longer wanted, as stop_token. Answering is still allowed.
  bool cancelled() const { return this->raw_.cancelled(); }
  // On the loop: runs `callback` once there when that happens; at once if it has. Replaces an
  // earlier one.
  void OnCancel(UniqueFunction<void()> callback) { this->raw_.OnCancel(std::move(callback)); }

 protected:
  typename R::Builder& Results() {
    if (!results_) {
      OutgoingMessage& reply = this->raw_.reply();
      results_.emplace(reply.payload().template initAs<typename R::Schema>(), reply.handles());
    }
    return *results_;
  }
  // What is filled in behind the answer goes nowhere, and not into the memory of what was sent.
  void ForgetResults() { results_.reset(); }

 private:
  std::optional<typename R::Builder> results_;
};

}  // namespace internal

// What the handler of a method gets: the request and the duty to answer it once, by Reply or Fail.
// Move-only; keep it to answer later, also from another thread (one thread at a time uses it).
// Dropped unanswered, the caller gets kAborted.
template <typename P, typename R>
class Call : public internal::AnsweredCall<P, R> {
 public:
  using internal::AnsweredCall<P, R>::AnsweredCall;

  // The results, to be filled before Reply.
  typename R::Builder& results() { return this->Results(); }

  // Sends the results. Does nothing if the call is answered already.
  void Reply() {
    results();
    this->ForgetResults();
    this->raw_.Reply();
  }
};

// What the handler of a `$Lwmsg.stream` method gets: it sends any number of items, no more than the
// caller has room for, and then ends the stream with Finish or Fail. Stays on its loop.
template <typename P, typename R>
class StreamCall : public internal::AnsweredCall<P, R> {
 public:
  using internal::AnsweredCall<P, R>::AnsweredCall;

  // The next item, to be filled before Send; a fresh one after it.
  typename R::Builder& item() { return this->Results(); }
  // Sends the item. Error: kResourceExhausted if the caller has no room (credit() is 0; the item is
  // kept), kUnavailable if nobody takes it any more, or what is wrong with it.
  Status Send() {
    item();
    Status sent = this->raw_.SendItem();
    if (sent.ok()) this->ForgetResults();
    return sent;
  }
  // How many items the caller has room for now.
  uint32_t credit() const { return this->raw_.credit(); }
  // Runs `callback` once, on the loop, when there is room or the stream is cancelled; at once if
  // that is so now.
  void OnCredit(UniqueFunction<void()> callback) { this->raw_.OnCredit(std::move(callback)); }
  // `while (co_await call.Ready())`: waits for room; false once the stream is cancelled or ended.
  auto Ready() {
    struct Awaiter {
      StreamCall* call;
      bool await_ready() const { return call->credit() != 0 || call->cancelled(); }
      void await_suspend(std::coroutine_handle<> waiting) {
        call->OnCredit([waiting] { waiting.resume(); });
      }
      bool await_resume() const { return call->credit() != 0; }
    };
    return Awaiter{this};
  }
  // Ends the stream well. Items that were not sent are dropped.
  void Finish() {
    this->ForgetResults();
    this->raw_.reply() = OutgoingMessage::ForReply(this->raw_.interface_id(), this->raw_.method());
    this->raw_.Reply();
  }
};

// What the handler of a `$Lwmsg.oneway` method gets: nobody waits for an answer.
template <typename P>
class OneWayCall : public internal::CallBase<P> {
 public:
  using internal::CallBase<P>::CallBase;
};

}  // namespace lwmsg
