#pragma once

#include <chrono>
#include <coroutine>
#include <optional>
#include <utility>

#include "lwmsg/channel.h"
#include "lwmsg/payload.h"

namespace lwmsg {

// The results of a call, of the type that `R::Schema` is in Cap'n Proto. Owns the message that it
// reads. Move-only. Its accessors do not throw: the message was checked when it came.
template <typename R>
class Reply : public R::Reader {
 public:
  explicit Reply(IncomingMessage message)
      : R::Reader(message.payload().getAs<typename R::Schema>(), message.handles()),
        message_(std::move(message)) {}

  // The OS handle of a field at any depth of the results; see IncomingHandles::Take.
  Result<OsHandle> Take(schema::OsHandle::Reader field) { return message_.handles().Take(field); }

 private:
  IncomingMessage message_;
};

namespace internal {

// What Request and OneWayRequest share: the params being filled.
template <typename P>
class RequestBase {
 public:
  RequestBase(Channel channel, const Protocol& protocol, uint16_t method)
      : channel_(std::move(channel)),
        call_{&protocol, &protocol.methods[method], OutgoingMessage::ForCall(protocol.id, method),
              std::nullopt},
        params_(call_.message.payload().template initAs<typename P::Schema>(),
                call_.message.handles()) {}

  // The params, to be filled.
  typename P::Builder* operator->() { return &params_; }
  typename P::Builder& params() { return params_; }
  // Gives an OS handle to a field at any depth of the params; see OutgoingHandles::Put.
  void Put(schema::OsHandle::Builder field, OsHandle handle) {
    call_.message.handles().Put(field, std::move(handle));
  }

 protected:
  Channel channel_;
  OutgoingCall call_;

 private:
  typename P::Builder params_;
};

inline Status ChannelGone() {
  return Status(StatusCode::kUnavailable, "the client or association of this stub is gone");
}

template <typename R>
Result<Reply<R>> ToReply(Result<IncomingMessage> message) {
  if (!message) return Error(std::move(message).error());
  return Reply<R>(std::move(*message));
}

}  // namespace internal

// `co_await request.Send()`: resumes on the channel's loop with the Result<Reply<R>>.
template <typename R>
class ReplyAwaiter {
 public:
  ReplyAwaiter(Channel channel, OutgoingCall call)
      : channel_(std::move(channel)), call_(std::move(call)) {}

  bool await_ready() const { return channel_.target() == nullptr; }
  void await_suspend(std::coroutine_handle<> waiting) {
    channel_.target()->Start(std::move(call_), [this, waiting](Result<IncomingMessage> message) {
      result_ = internal::ToReply<R>(std::move(message));
      waiting.resume();
    });
  }
  Result<Reply<R>> await_resume() { return std::move(result_); }

 private:
  Channel channel_;
  OutgoingCall call_;
  Result<Reply<R>> result_ = Error(internal::ChannelGone());
};

// A call that is being filled; `->` gives the params. Nothing is sent until Sync or Send, which
// consume it. Move-only, cheap to drop.
template <typename P, typename R>
class Request : public internal::RequestBase<P> {
 public:
  using internal::RequestBase<P>::RequestBase;

  // How long the reply is waited for, also known to the callee; zero: for ever. Default:
  // Limits::call_timeout.
  void set_timeout(std::chrono::milliseconds timeout) { this->call_.timeout = timeout; }

  // Sends, and waits for the reply on this thread: for a BlockingClient. On a client that has a
  // loop, kFailedPrecondition, as waiting would stop that loop.
  Result<Reply<R>> Sync() {
    auto* target = this->channel_.target();
    if (target == nullptr) return Error(internal::ChannelGone());
    return internal::ToReply<R>(target->Wait(std::move(this->call_)));
  }

  // Sends; `callback(Result<Reply<R>>)` runs exactly once, on the loop, whatever happens: reply,
  // error, deadline, loss of the connection or of the client object. Never inside this function,
  // unless the channel's target is gone already.
  template <typename F>
    requires std::is_invocable_v<F&, Result<Reply<R>>>
  PendingCall Send(F callback) {
    auto* target = this->channel_.target();
    if (target == nullptr) {
      callback(Result<Reply<R>>(Error(internal::ChannelGone())));
      return PendingCall();
    }
    const uint32_t id =
        target->Start(std::move(this->call_),
                      [callback = std::move(callback)](Result<IncomingMessage> message) mutable {
                        callback(internal::ToReply<R>(std::move(message)));
                      });
    return PendingCall(this->channel_.link(), id);
  }

  // Sends when awaited, in a coroutine: `auto reply = co_await request.Send();`
  ReplyAwaiter<R> Send() {
    return ReplyAwaiter<R>(std::move(this->channel_), std::move(this->call_));
  }
};

// A call of a `$Lwmsg.oneway` method.
template <typename P>
class OneWayRequest : public internal::RequestBase<P> {
 public:
  using internal::RequestBase<P>::RequestBase;

  // Queues the request. OK says that it was queued, not that it arrived.
  Status Send() {
    auto* target = this->channel_.target();
    if (target == nullptr) return internal::ChannelGone();
    return target->Post(std::move(this->call_));
  }
};

}  // namespace lwmsg
