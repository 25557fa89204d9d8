#include "runtime/uv_loop.h"

#include <cassert>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "lwmsg/internal/spare_memory.h"
#include "runtime/platform.h"

namespace lwmsg::internal {

namespace {

// Fails only without descriptors or memory for the loop itself: nothing can work then.
void Check(int error) {
  if (error == 0) return;
  throw std::system_error(-error, std::generic_category(), "lwmsg: cannot make an event loop");
}

}  // namespace

struct UvLoop::Handles {
  std::unique_ptr<Waker> wake;
  UvHandle<uv_timer_t> timer;
  // Both ends of a turn at which libuv is about to wait or has just been busy: what was sent
  // between them goes out there.
  UvHandle<uv_prepare_t> prepare;
  UvHandle<uv_check_t> check;
  // While one of them is active libuv does not sleep.
  UvHandle<uv_idle_t> look;
  UvHandle<uv_idle_t> run;
  // Keeps the loop running while something waits that libuv does not see.
  UvHandle<uv_async_t> keep;
};

UvLoop::UvLoop(uv_loop_t* borrowed) : uv_(borrowed), thread_(std::this_thread::get_id()) {
  if (uv_ == nullptr) {
    auto own = std::make_unique<uv_loop_t>();
    Check(uv_loop_init(own.get()));
    own_ = std::move(own);
    uv_ = own_.get();
  }
  try {
    RefillSpareMemory();
    OpenHandles();
  } catch (...) {
    CloseHandles();
    throw;
  }
}

void UvLoop::OpenHandles() {
  handles_ = std::make_unique<Handles>();
  auto wake = MakeWaker(uv_, [this] {
    NoteArrival();
    RunPosted();
  });
  if (!wake) {
    throw std::runtime_error("lwmsg: cannot make an event loop: " + wake.error().message());
  }
  handles_->wake = std::move(*wake);
  Check(handles_->timer.Open(this, [this](uv_timer_t* t) { return uv_timer_init(uv_, t); }));
  Check(handles_->prepare.Open(this, [this](auto* p) { return uv_prepare_init(uv_, p); }));
  Check(handles_->check.Open(this, [this](uv_check_t* c) { return uv_check_init(uv_, c); }));
  Check(handles_->look.Open(this, [this](uv_idle_t* look) { return uv_idle_init(uv_, look); }));
  Check(handles_->run.Open(this, [this](uv_idle_t* run) { return uv_idle_init(uv_, run); }));
  Check(handles_->keep.Open(this, [this](auto* k) { return uv_async_init(uv_, k, nullptr); }));
  uv_prepare_start(handles_->prepare.get(), [](uv_prepare_t* handle) {
    auto* self = static_cast<UvLoop*>(handle->data);
    self->thread_ = std::this_thread::get_id();  // Of a borrowed loop nobody else says it.
    self->FlushAll();
  });
  uv_check_start(handles_->check.get(),
                 [](uv_check_t* handle) { static_cast<UvLoop*>(handle->data)->OnPolled(); });
  for (uv_handle_t* handle :
       {handles_->look.base(), handles_->wake->handle(), handles_->prepare.base(),
        handles_->check.base(), handles_->keep.base()}) {
    uv_unref(handle);  // They alone do not keep a loop running.
  }
}

UvLoop::~UvLoop() {
  CloseDoor();
  CloseHandles();
}

void UvLoop::CloseHandles() {
  handles_.reset();
  if (!own_) return;
  uv_run(uv_, UV_RUN_DEFAULT);  // Runs the close callbacks.
  const int busy = uv_loop_close(uv_);
  assert(busy == 0 && "a Server or Client must go before its Loop");
  static_cast<void>(busy);
}

void UvLoop::Run() {
  running_ = std::this_thread::get_id();
  RunPosted();
  uv_run(uv_, UV_RUN_DEFAULT);
  running_ = std::thread::id();
}

void UvLoop::Stop() {
  Post([this] { uv_stop(uv_); });
}

void UvLoop::Post(Task task) {
  const auto self = std::this_thread::get_id();
  // The thread that is inside Run need not be woken: while `run` is active libuv does not sleep. No
  // other may touch handles: whoever made the loop may post as another begins to run it.
  if (self == running_) {
    uv_idle_start(handles_->run.get(),
                  [](uv_idle_t* handle) { static_cast<UvLoop*>(handle->data)->RunPosted(); });
    const std::lock_guard lock(mutex_);
    Insist([&] { posted_.push_back(std::move(task)); });
    return;
  }
  // While a task of the owner's own thread waits a borrowed loop must not run out.
  if (!own_ && self == thread_) uv_ref(handles_->wake->handle());
  const std::lock_guard lock(mutex_);
  Insist([&] { posted_.push_back(std::move(task)); });
  // What is posted behind that is run with it. Still locked: the task may end this loop.
  if (posted_.size() == 1) handles_->wake->Wake();
}

void UvLoop::RunPosted() {
  thread_ = std::this_thread::get_id();
  uv_idle_stop(handles_->run.get());
  uv_unref(handles_->wake->handle());
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) IfMemory(task);
}

void UvLoop::OnPolled() {
  FlushAll();
  if (arrivals() == arrivals_seen_) return;
  arrivals_seen_ = arrivals();
  if (looking_) adaptive().Found();
  const bool look = adaptive().Begin(Now());
  if (look == looking_) return;
  looking_ = look;
  if (!look) {
    uv_idle_stop(handles_->look.get());
    return;
  }
  uv_idle_start(handles_->look.get(),
                [](uv_idle_t* handle) { static_cast<UvLoop*>(handle->data)->OnLook(); });
}

void UvLoop::OnLook() {
  if (!adaptive().IsOver(Now())) return YieldProcessor();
  adaptive().Missed();
  looking_ = false;
  uv_idle_stop(handles_->look.get());
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

Result<std::unique_ptr<IoLoop::Watch>> UvLoop::MakeWatch(OsHandle::Native native,
                                                         ReadyCallback callback) {
  return MakeUvWatch(uv_, native, std::move(callback));
}

}  // namespace lwmsg::internal
