#pragma once

#include <coroutine>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "lwmsg/reply.h"

namespace lwmsg {
namespace internal {

// The caller's side of a stream, shared by its Stream and by what the association calls. On the
// loop.
class StreamState {
 public:
  // Items that came and were not read yet, and then how the stream ended.
  std::deque<IncomingMessage> items;
  std::optional<Status> end;
  // What waits for the next of these.
  UniqueFunction<void()> waiting;
  PendingCall call;
  Channel channel;
  uint32_t window = 0;
  // Read since the callee was last given credit.
  uint32_t read = 0;

  bool ready() const { return !items.empty() || end; }
  // May come late, when what it was for was taken by another.
  void Wake() {
    if (waiting && ready()) std::exchange(waiting, {})();
  }

  // When ready: an item, nothing at a good end, or the error. Gives the callee room in portions.
  Result<std::optional<IncomingMessage>> TakeNext() {
    if (items.empty()) {
      if (!end->ok()) return Error(*end);
      return std::nullopt;
    }
    std::optional<IncomingMessage> item = std::move(items.front());
    items.pop_front();
    if (++read > window / 2 && !end) call.GiveCredit(std::exchange(read, 0));
    return item;
  }
};

}  // namespace internal

// The results of a `$Lwmsg.stream` method, as they come: read one by one, each as a
// `Result<std::optional<Reply<R>>>`, which is an item, nothing at the good end of the stream, or an
// error, after which nothing comes any more. The callee is held back while `window` of the schema
// are not read. Destroying it cancels the call. Move-only; belongs to its client's loop.
template <typename R>
class Stream {
 public:
  using Item = Result<std::optional<Reply<R>>>;

  explicit Stream(std::shared_ptr<internal::StreamState> state) : state_(std::move(state)) {}
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&& other) noexcept {
    Cancel();
    state_ = std::move(other.state_);
    return *this;
  }
  ~Stream() { Cancel(); }

  // Gives the next one to `callback(Item)`, once, later, on the loop. One at a time. If the Stream
  // goes before that, `callback` does not run.
  template <typename F>
    requires std::is_invocable_v<F&, Item>
  void Next(F callback) {
    auto* state = state_.get();
    state->waiting = [state, callback = std::move(callback)]() mutable {
      callback(ToItem(state->TakeNext()));
    };
    if (!state->ready()) return;
    state->channel.ref().Post([link = std::weak_ptr(state_)] {
      if (auto waiter = link.lock()) waiter->Wake();
    });
  }

  // `while (auto item = co_await stream.Next(); item && *item)`.
  auto Next() {
    struct Awaiter {
      internal::StreamState* state;
      bool await_ready() const { return state->ready(); }
      void await_suspend(std::coroutine_handle<> waiting) {
        state->waiting = [waiting] { waiting.resume(); };
      }
      Item await_resume() { return ToItem(state->TakeNext()); }
    };
    return Awaiter{state_.get()};
  }

  // Waits for the next one on this thread: for a BlockingClient.
  Item NextSync() {
    while (!state_->ready()) {
      auto* target = state_->channel.target();
      if (target == nullptr) return Error(internal::ChannelGone());
      if (!target->can_wait()) return Error(internal::CannotWait());
      target->WaitOnce();
    }
    return ToItem(state_->TakeNext());
  }

  // Tells the callee to stop; the next item is then an error.
  void Cancel() {
    if (state_ && !state_->end) state_->call.Cancel();
  }

 private:
  static Item ToItem(Result<std::optional<IncomingMessage>> message) {
    if (!message) return Error(std::move(message).error());
    if (!*message) return std::nullopt;
    return Reply<R>(std::move(**message));
  }

  std::shared_ptr<internal::StreamState> state_;
};

}  // namespace lwmsg
