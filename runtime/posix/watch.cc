#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lwmsg/internal/spare_memory.h"
#include "runtime/platform.h"
#include "runtime/posix/socket_address.h"
#include "runtime/uv_handle.h"

namespace lwmsg::internal {
namespace {

class PollWatch final : public IoLoop::Watch {
 public:
  explicit PollWatch(IoLoop::ReadyCallback callback) : callback_(std::move(callback)) {}

  int Open(uv_loop_t* loop, int socket) {
    return poll_.Open(this, [&](uv_poll_t* poll) { return uv_poll_init(loop, poll, socket); });
  }

  void Want(IoLoop::Ready wanted) override {
    const int events =
        (wanted.readable ? UV_READABLE | UV_DISCONNECT : 0) | (wanted.writable ? UV_WRITABLE : 0);
    if (events != events_) Start(events);
  }

 private:
  void Start(int events) {
    events_ = events;
    if (events == 0) {
      uv_poll_stop(poll_.get());
      return;
    }
    uv_poll_start(poll_.get(), events, [](uv_poll_t* poll, int status, int ready) {
      auto* self = static_cast<PollWatch*>(poll->data);
      if (status < 0) {
        // libuv has stopped, at an error that whoever reads meets behind what there is to read.
        ready = self->events_;
        self->Start(ready);
      }
      const bool hung_up = (ready & UV_DISCONNECT) != 0;
      self->callback_({(ready & UV_READABLE) != 0 || hung_up, (ready & UV_WRITABLE) != 0});
    });
  }

  IoLoop::ReadyCallback callback_;
  UvHandle<uv_poll_t> poll_;
  int events_ = 0;
};

// Not uv_async_t: libuv 1.44 lets its receiver spin until the sender has left uv_async_send, which
// on one processor it cannot while the receiver spins; that takes ten times as long as what it is
// for.
class EventWaker final : public Waker {
 public:
  EventWaker(OsHandle event, UniqueFunction<void()> callback)
      : event_(std::move(event)), callback_(std::move(callback)) {}

  int Open(uv_loop_t* loop) {
    const int error =
        poll_.Open(this, [&](uv_poll_t* poll) { return uv_poll_init(loop, poll, event_.get()); });
    if (error != 0) return error;
    return uv_poll_start(poll_.get(), UV_READABLE, [](uv_poll_t* poll, int, int) {
      auto* self = static_cast<EventWaker*>(poll->data);
      uint64_t count = 0;
      static_cast<void>(read(self->event_.get(), &count, sizeof(count)));
      self->callback_();
    });
  }

  void Wake() override {
    const uint64_t one = 1;
    while (write(event_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
    }
  }
  uv_handle_t* handle() override { return poll_.base(); }

 private:
  OsHandle event_;
  UniqueFunction<void()> callback_;
  UvHandle<uv_poll_t> poll_;
};

}  // namespace

Result<std::unique_ptr<Waker>> MakeWaker(uv_loop_t* loop, UniqueFunction<void()> callback) {
  OsHandle event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return Error(ErrnoStatus("cannot make an eventfd", errno));
  auto waker = std::make_unique<EventWaker>(std::move(event), std::move(callback));
  if (const int error = waker->Open(loop); error != 0) {
    return Error(StatusCode::kInternal, std::string("uv_poll_init: ") + uv_strerror(error));
  }
  return waker;
}

Result<std::unique_ptr<IoLoop::Watch>> MakeUvWatch(uv_loop_t* loop, OsHandle::Native native,
                                                   IoLoop::ReadyCallback callback) {
  auto watch = std::make_unique<PollWatch>(std::move(callback));
  if (const int error = watch->Open(loop, native); error != 0) {
    return Error(StatusCode::kInternal, std::string("uv_poll_init: ") + uv_strerror(error));
  }
  return watch;
}

void YieldProcessor() { sched_yield(); }

void Wait(std::span<Waited> waited, int timeout_ms) {
  std::vector<pollfd> polled;
  // Whoever waits has a call under way, whose reply goes to his stack.
  Insist([&] { polled.reserve(waited.size()); });
  for (const Waited& one : waited) {
    const int events = (one.wanted.readable ? POLLIN : 0) | (one.wanted.writable ? POLLOUT : 0);
    polled.push_back({one.native, static_cast<int16_t>(events), 0});
  }
  if (poll(polled.data(), polled.size(), timeout_ms) <= 0) return;
  for (size_t i = 0; i < waited.size(); ++i) {
    const int events = polled[i].revents;
    const bool ended = (events & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    waited[i].happened = {ended || (events & POLLIN) != 0, (events & POLLOUT) != 0};
  }
}

}  // namespace lwmsg::internal
