#pragma once

#include <chrono>
#include <optional>

#include "lwmsg/function.h"
#include "lwmsg/internal/link.h"
#include "lwmsg/message.h"
#include "lwmsg/protocol.h"
#include "lwmsg/status.h"

namespace lwmsg {

using ReplyCallback = UniqueFunction<void(Result<IncomingMessage>)>;

// One request as it goes down: what is called, and how long its reply is waited for.
struct OutgoingCall {
  const Protocol* protocol;
  const MethodInfo* method;
  OutgoingMessage message;
  // Zero: no deadline. Empty: Limits::call_timeout.
  std::optional<std::chrono::milliseconds> timeout;
};

namespace internal {

// What calls can be sent over.
class CallTarget {
 public:
  // Sends the request; `done` runs exactly once, later. Returns the call's id for Cancel.
  virtual uint32_t Start(OutgoingCall call, ReplyCallback done) = 0;
  // Sends a one-way request. Error if it could not be queued.
  virtual Status Post(OutgoingCall call) = 0;
  // As Start, but waits for the reply on this thread.
  virtual Result<IncomingMessage> Wait(OutgoingCall call) = 0;
  // Ends the call with kCancelled if it still waits, and tells the callee.
  virtual void Cancel(uint32_t id) = 0;

 protected:
  ~CallTarget() = default;
};

}  // namespace internal

// Where generated clients send their calls: a Client, a BlockingClient, or the association that a
// call came in by. A value; it does not keep its target alive: once that is gone, calls fail with
// kUnavailable. Used on the target's loop only.
class Channel {
 public:
  // Goes nowhere.
  Channel() = default;
  explicit Channel(internal::Link<internal::CallTarget> target) : target_(std::move(target)) {}

  internal::CallTarget* target() const { return target_.get(); }
  const internal::Link<internal::CallTarget>& link() const { return target_; }

 private:
  internal::Link<internal::CallTarget> target_;
};

// Names a call under way. A value, may be dropped: that does not end the call.
class PendingCall {
 public:
  PendingCall() = default;
  PendingCall(internal::Link<internal::CallTarget> target, uint32_t id)
      : target_(std::move(target)), id_(id) {}

  // The callback gets kCancelled soon, the callee is told. Nothing happens if the call has ended.
  void Cancel() {
    if (auto* target = target_.get()) target->Cancel(id_);
  }

 private:
  internal::Link<internal::CallTarget> target_;
  uint32_t id_ = 0;
};

}  // namespace lwmsg
