#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "lwmsg/function.h"
#include "lwmsg/internal/call_key.h"
#include "lwmsg/internal/loop_ref.h"
#include "lwmsg/message.h"
#include "lwmsg/protocol.h"
#include "lwmsg/status.h"

namespace lwmsg {

class Association;
class Session;

using ReplyCallback = UniqueFunction<void(Result<IncomingMessage>)>;

// One request as it goes down: what is called, and how long its reply is waited for.
struct OutgoingCall {
  const Protocol* protocol;
  const MethodInfo* method;
  // Of the peer's session; 0: the service.
  uint64_t object;
  OutgoingMessage message;
  // Zero: no deadline. Empty: as the schema says, or else Limits::call_timeout.
  std::optional<std::chrono::milliseconds> timeout;
  // Of a stream: what gets each item, on the loop.
  UniqueFunction<void(IncomingMessage)> on_item = {};
};

class PendingCall;

namespace internal {

// What calls can be sent over. All functions on its loop.
class CallTarget {
 public:
  // Sends the request; `done` runs exactly once, later.
  virtual PendingCall Start(OutgoingCall call, ReplyCallback done) = 0;
  // Sends a one-way request. Error if it could not be queued.
  virtual Status Post(OutgoingCall call) = 0;
  // The objects of this side that the peer has names for.
  virtual const std::shared_ptr<Session>& session() = 0;
  // Whether this thread may wait, having no loop to run; if so, WaitOnce waits until something
  // happens and lets that take its course.
  virtual bool can_wait() const = 0;
  virtual void WaitOnce() = 0;

 protected:
  ~CallTarget() = default;
};

}  // namespace internal

// Where generated clients send their calls: a Client, a BlockingClient, the association that a
// call came in by, or an object over one of these. A value; it does not keep its target alive: once
// that is gone, calls fail with kUnavailable. Calls are made on the target's loop only.
class Channel {
 public:
  // Goes nowhere.
  Channel() = default;
  explicit Channel(internal::LoopRef<internal::CallTarget> target) : target_(std::move(target)) {}

  internal::CallTarget* target() const { return target_.get(); }
  const internal::LoopRef<internal::CallTarget>& ref() const { return target_; }
  // The object that calls go to; 0: the service.
  uint64_t object() const { return object_; }
  // The same, for calls to `object`. `keep` is kept for as long as copies of the channel are.
  Channel WithObject(uint64_t object, std::shared_ptr<const void> keep = {}) const {
    Channel channel = *this;
    channel.object_ = object;
    channel.keep_ = std::move(keep);
    return channel;
  }

 private:
  internal::LoopRef<internal::CallTarget> target_;
  uint64_t object_ = 0;
  std::shared_ptr<const void> keep_;
};

namespace internal {

// Starts `call` over `channel`; if its target is gone, tells `done` so at once.
PendingCall StartCall(const Channel& channel, OutgoingCall call, ReplyCallback done);

}  // namespace internal

// Names a call under way. A value, may be dropped: that does not end the call. Any thread.
class PendingCall {
 public:
  PendingCall() = default;
  PendingCall(internal::LoopRef<Association> association, internal::CallKey key)
      : association_(std::move(association)), key_(key) {}

  // The callback gets kCancelled soon, the callee is told. Nothing happens if the call has ended.
  void Cancel() const;
  // For streams: allows the callee `items` more.
  void GiveCredit(uint32_t items) const;

 private:
  internal::LoopRef<Association> association_;
  internal::CallKey key_;
};

}  // namespace lwmsg
