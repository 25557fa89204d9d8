#pragma once

#include <chrono>
#include <coroutine>
#include <optional>
#include <utility>

#include "lwmsg/reply.h"
#include "lwmsg/stream.h"

namespace lwmsg {

namespace internal {

// What Request and OneWayRequest share: the params being filled.
template <typename P>
class RequestBase {
 public:
  RequestBase(Channel channel, const Protocol& protocol, uint16_t method)
      : channel_(std::move(channel)),
        call_{&protocol, &protocol.methods[method], channel_.object(),
              OutgoingMessage::ForCall(protocol.id, method), std::nullopt},
        params_(call_.message.payload().template initAs<typename P::Schema>(),
                call_.message.handles()) {
    if (auto* target = channel_.target()) call_.message.handles().set_session(target->session());
  }

  // The params, to be filled.
  typename P::Builder* operator->() { return &params_; }
  typename P::Builder& params() { return params_; }
  // Gives an OS handle to a field at any depth of the params; see OutgoingHandles::Put.
  void Put(schema::OsHandle::Builder field, OsHandle handle) {
    call_.message.handles().Put(field, std::move(handle));
  }
  // Gives bytes to a `SharedMemory` at any depth of the params.
  void Put(schema::SharedMemory::Builder field, WritableMemory memory) {
    call_.message.handles().Put(field, std::move(memory));
  }
  // Names an object of this side in a `Handle(T)` at any depth of the params, so that the callee
  // can call it or bring it back; see OutgoingHandles::Register.
  template <typename T, typename HandleBuilder>
  Status Register(HandleBuilder field, const std::shared_ptr<T>& object) {
    return call_.message.handles().Register(field, object);
  }

 protected:
  Channel channel_;
  OutgoingCall call_;

 private:
  typename P::Builder params_;
};

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

  // How long the reply is waited for, also known to the callee; zero: for ever. Default: as the
  // schema says ($Lwmsg.timeout), or else Limits::call_timeout.
  void set_timeout(std::chrono::milliseconds timeout) { this->call_.timeout = timeout; }

  // Sends, and waits for the reply on this thread: for a BlockingClient. On a client that has a
  // loop, kFailedPrecondition, as waiting would stop that loop.
  Result<Reply<R>> Sync() {
    const Channel channel = std::exchange(this->channel_, Channel());
    auto* target = channel.target();
    if (target == nullptr) return Error(internal::ChannelGone());
    if (!target->can_wait()) return Error(internal::CannotWait());
    std::optional<Result<IncomingMessage>> reply;
    target->Start(std::move(this->call_),
                  [&reply](Result<IncomingMessage> result) { reply = std::move(result); });
    while (!reply) target->WaitOnce();
    return internal::ToReply<R>(std::move(*reply));
  }

  // Sends; `callback(Result<Reply<R>>)` runs exactly once, on the loop, whatever happens: reply,
  // error, deadline, loss of the connection or of the client object. Never inside this function,
  // unless the channel's target is gone already.
  template <typename F>
    requires std::is_invocable_v<F&, Result<Reply<R>>>
  PendingCall Send(F callback) {
    return internal::StartCall(
        std::exchange(this->channel_, Channel()), std::move(this->call_),
        [callback = std::move(callback)](Result<IncomingMessage> message) mutable {
          callback(internal::ToReply<R>(std::move(message)));
        });
  }

  // Sends when awaited, in a coroutine: `auto reply = co_await request.Send();`
  ReplyAwaiter<R> Send() {
    return ReplyAwaiter<R>(std::move(this->channel_), std::move(this->call_));
  }
};

// A call of a `$Lwmsg.stream` method.
template <typename P, typename R>
class StreamRequest : public internal::RequestBase<P> {
 public:
  using internal::RequestBase<P>::RequestBase;

  // How long the whole stream may take; zero, the default: for ever.
  void set_timeout(std::chrono::milliseconds timeout) { this->call_.timeout = timeout; }

  // Sends; what comes is read from the Stream. What is wrong is its first item.
  Stream<R> Start() {
    auto state = std::make_shared<internal::StreamState>();
    state->channel = std::exchange(this->channel_, Channel());
    state->window = this->call_.method->window;
    auto* target = state->channel.target();
    if (target == nullptr) {
      state->end = internal::ChannelGone();
      return Stream<R>(std::move(state));
    }
    // What is not held by the Stream any more takes nothing in.
    this->call_.on_item = [link = std::weak_ptr(state)](IncomingMessage item) {
      auto stream = link.lock();
      if (!stream) return;
      stream->items.push_back(std::move(item));
      stream->Wake();
    };
    state->call = target->Start(std::move(this->call_),
                                [link = std::weak_ptr(state)](Result<IncomingMessage> end) {
                                  auto stream = link.lock();
                                  if (!stream) return;
                                  stream->end = end ? Status() : std::move(end).error();
                                  stream->Wake();
                                });
    return Stream<R>(std::move(state));
  }
};

// A call of a `$Lwmsg.oneway` method.
template <typename P>
class OneWayRequest : public internal::RequestBase<P> {
 public:
  using internal::RequestBase<P>::RequestBase;

  // Queues the request. OK says that it was queued, not that it arrived.
  Status Send() {
    const Channel channel = std::exchange(this->channel_, Channel());
    auto* target = channel.target();
    if (target == nullptr) return internal::ChannelGone();
    return target->Post(std::move(this->call_));
  }
};

}  // namespace lwmsg
