#include "runtime/uv_loop.h"

#include <cassert>
#include <cstdlib>
#include <string>
#include <utility>

namespace lwmsg::internal {

struct UvLoop::Handles {
  UvHandle<uv_async_t> wake;
  UvHandle<uv_timer_t> timer;
  // Both ends of a turn at which libuv is about to wait or has just been busy: what was sent
  // between them goes out there.
  UvHandle<uv_prepare_t> prepare;
  UvHandle<uv_check_t> check;
  // Keeps the loop running while something waits that libuv does not see.
  UvHandle<uv_async_t> keep;
};

class UvLoop::SocketWatch final : public IoLoop::Watch {
 public:
  explicit SocketWatch(ReadyCallback callback) : callback_(std::move(callback)) {}

  int Open(uv_loop_t* loop, OsHandle::Native socket) {
    return poll_.Open(this, [&](uv_poll_t* poll) {
      return uv_poll_init_socket(loop, poll, reinterpret_cast<uv_os_sock_t&>(socket));
    });
  }

  void Want(Ready wanted) override {
    const int events =
        (wanted.readable ? UV_READABLE | UV_DISCONNECT : 0) | (wanted.writable ? UV_WRITABLE : 0);
    if (events == events_) return;
    events_ = events;
    if (events == 0) {
      uv_poll_stop(poll_.get());
      return;
    }
    uv_poll_start(poll_.get(), events, [](uv_poll_t* poll, int status, int ready) {
      auto* self = static_cast<SocketWatch*>(poll->data);
      // An error is met again, with its number, by whoever reads or writes.
      if (status < 0) ready = self->events_;
      const bool hung_up = (ready & UV_DISCONNECT) != 0;
      self->callback_({(ready & UV_READABLE) != 0 || hung_up, (ready & UV_WRITABLE) != 0});
    });
  }

 private:
  ReadyCallback callback_;
  UvHandle<uv_poll_t> poll_;
  int events_ = 0;
};

UvLoop::UvLoop(uv_loop_t* borrowed) : uv_(borrowed), thread_(std::this_thread::get_id()) {
  if (uv_ == nullptr) {
    own_ = std::make_unique<uv_loop_t>();
    uv_ = own_.get();
    // Fails only without descriptors or memory for the loop itself: nothing can work then.
    if (uv_loop_init(uv_) != 0) std::abort();
  }
  handles_ = std::make_unique<Handles>();
  const int failed =
      handles_->wake.Open(this,
                          [this](uv_async_t* wake) {
                            return uv_async_init(uv_, wake, [](uv_async_t* handle) {
                              if (handle->data == nullptr) return;
                              static_cast<UvLoop*>(handle->data)->RunPosted();
                            });
                          }) |
      handles_->timer.Open(this, [this](uv_timer_t* timer) { return uv_timer_init(uv_, timer); }) |
      handles_->prepare.Open(this, [this](uv_prepare_t* p) { return uv_prepare_init(uv_, p); }) |
      handles_->check.Open(this, [this](uv_check_t* check) { return uv_check_init(uv_, check); }) |
      handles_->keep.Open(this,
                          [this](uv_async_t* keep) { return uv_async_init(uv_, keep, nullptr); });
  if (failed != 0) std::abort();
  uv_prepare_start(handles_->prepare.get(),
                   [](uv_prepare_t* handle) { static_cast<UvLoop*>(handle->data)->FlushAll(); });
  uv_check_start(handles_->check.get(),
                 [](uv_check_t* handle) { static_cast<UvLoop*>(handle->data)->FlushAll(); });
  for (uv_handle_t* handle : {handles_->wake.base(), handles_->prepare.base(),
                              handles_->check.base(), handles_->keep.base()}) {
    uv_unref(handle);  // They alone do not keep a loop running.
  }
}

UvLoop::~UvLoop() {
  CloseDoor();
  handles_.reset();
  if (!own_) return;
  uv_run(uv_, UV_RUN_DEFAULT);  // Runs the close callbacks.
  const int busy = uv_loop_close(uv_);
  assert(busy == 0 && "a Server or Client must go before its Loop");
  static_cast<void>(busy);
}

void UvLoop::Run() {
  thread_ = std::this_thread::get_id();
  RunPosted();
  uv_run(uv_, UV_RUN_DEFAULT);
}

void UvLoop::Stop() {
  Post([this] { uv_stop(uv_); });
}

void UvLoop::Post(Task task) {
  // While a task of the loop's own thread waits the loop must not run out; uv_ref is for that
  // thread only.
  if (std::this_thread::get_id() == thread_) uv_ref(handles_->wake.base());
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(task));
  uv_async_send(handles_->wake.get());
}

void UvLoop::RunPosted() {
  thread_ = std::this_thread::get_id();
  uv_unref(handles_->wake.base());
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) task();
}

void UvLoop::Hold() {
  if (holds_++ == 0) uv_ref(handles_->keep.base());
}

void UvLoop::Unhold() {
  if (--holds_ == 0) uv_unref(handles_->keep.base());
}

void UvLoop::OnEarliestTimer(std::optional<TimePoint> when) {
  if (!when) {
    uv_timer_stop(handles_->timer.get());
    return;
  }
  const auto delay = std::chrono::ceil<std::chrono::milliseconds>(*when - Now()).count();
  uv_update_time(uv_);
  uv_timer_start(
      handles_->timer.get(),
      [](uv_timer_t* timer) { static_cast<UvLoop*>(timer->data)->RunTimers(); },
      delay > 0 ? static_cast<uint64_t>(delay) : 0, 0);
}

Result<std::unique_ptr<IoLoop::Watch>> UvLoop::WatchSocket(OsHandle::Native socket,
                                                           ReadyCallback callback) {
  auto watch = std::make_unique<SocketWatch>(std::move(callback));
  if (const int error = watch->Open(uv_, socket); error != 0) {
    return Error(StatusCode::kInternal, std::string("uv_poll_init: ") + uv_strerror(error));
  }
  return watch;
}

}  // namespace lwmsg::internal
