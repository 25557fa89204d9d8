#include <windows.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "lwmsg/internal/link.h"
#include "runtime/platform.h"
#include "runtime/uv_handle.h"
#include "runtime/windows/system_status.h"

namespace lwmsg::internal {
namespace {

// An event object on libuv, which cannot wait for one: a thread of the system's pool waits and
// wakes the loop (RegisterWaitForSingleObject). Told again for as long as it is set.
class EventWatch final : public IoLoop::Watch {
 public:
  EventWatch(HANDLE event, IoLoop::ReadyCallback callback)
      : event_(event), callback_(std::move(callback)) {}
  ~EventWatch() override { StopWaiting(); }

  int Open(uv_loop_t* loop) {
    const int error = wake_.Open(this, [loop](uv_async_t* wake) {
      return uv_async_init(loop, wake, [](uv_async_t* handle) {
        if (handle->data != nullptr) static_cast<EventWatch*>(handle->data)->OnWoken();
      });
    });
    if (error == 0) uv_unref(wake_.base());
    return error;
  }

  void Want(IoLoop::Ready wanted) override {
    const bool wants = wanted.readable || wanted.writable;
    if (wants == wants_) return;
    wants_ = wants;
    if (wants_) {
      uv_ref(wake_.base());
      StartWaiting();
    } else {
      uv_unref(wake_.base());
      StopWaiting();
    }
  }

 private:
  // Not WT_EXECUTEINWAITTHREAD, which would save a change of threads: Wine 8 dies if such a wait is
  // given up just when it succeeds (tp_object_cancel, seen as a write to address 8).
  void StartWaiting() {
    const BOOL started = RegisterWaitForSingleObject(
        &wait_, event_,
        [](void* wake, BOOLEAN /*timed_out*/) { uv_async_send(static_cast<uv_async_t*>(wake)); },
        wake_.get(), INFINITE, WT_EXECUTEONLYONCE);
    if (started != 0) return;
    // Out of threads: looks again in the next turn.
    wait_ = nullptr;
    uv_async_send(wake_.get());
  }

  // The pool's thread is done with this afterwards.
  void StopWaiting() {
    if (wait_ != nullptr) UnregisterWaitEx(std::exchange(wait_, nullptr), INVALID_HANDLE_VALUE);
  }

  void OnWoken() {
    StopWaiting();
    if (!wants_) return;
    const auto link = anchor_.link();
    if (WaitForSingleObject(event_, 0) == WAIT_OBJECT_0) callback_({true, true});
    if (link.get() != nullptr && wants_ && wait_ == nullptr) StartWaiting();
  }

  Anchor<EventWatch> anchor_{this};
  const HANDLE event_;
  IoLoop::ReadyCallback callback_;
  UvHandle<uv_async_t> wake_;
  HANDLE wait_ = nullptr;
  bool wants_ = false;
};

class AsyncWaker final : public Waker {
 public:
  explicit AsyncWaker(UniqueFunction<void()> callback) : callback_(std::move(callback)) {}

  int Open(uv_loop_t* loop) {
    return async_.Open(this, [loop](uv_async_t* async) {
      return uv_async_init(loop, async, [](uv_async_t* handle) {
        if (handle->data != nullptr) static_cast<AsyncWaker*>(handle->data)->callback_();
      });
    });
  }

  void Wake() override { uv_async_send(async_.get()); }
  uv_handle_t* handle() override { return async_.base(); }

 private:
  UniqueFunction<void()> callback_;
  UvHandle<uv_async_t> async_;
};

}  // namespace

Result<std::unique_ptr<Waker>> MakeWaker(uv_loop_t* loop, UniqueFunction<void()> callback) {
  auto waker = std::make_unique<AsyncWaker>(std::move(callback));
  if (const int error = waker->Open(loop); error != 0) {
    return Error(StatusCode::kInternal, std::string("uv_async_init: ") + uv_strerror(error));
  }
  return waker;
}

Result<std::unique_ptr<IoLoop::Watch>> MakeUvWatch(uv_loop_t* loop, OsHandle::Native native,
                                                   IoLoop::ReadyCallback callback) {
  auto watch = std::make_unique<EventWatch>(native, std::move(callback));
  if (const int error = watch->Open(loop); error != 0) {
    return Error(StatusCode::kInternal, std::string("uv_async_init: ") + uv_strerror(error));
  }
  return watch;
}

void YieldProcessor() { SwitchToThread(); }

void Wait(std::span<Waited> waited, int timeout_ms) {
  std::array<HANDLE, MAXIMUM_WAIT_OBJECTS> events{};
  DWORD count = 0;
  for (const Waited& one : waited) {
    const bool wants = one.wanted.readable || one.wanted.writable;
    if (wants && count < events.size()) events[count++] = one.native;
  }
  const DWORD timeout = timeout_ms < 0 ? INFINITE : static_cast<DWORD>(timeout_ms);
  if (count == 0) return Sleep(timeout);
  if (WaitForMultipleObjects(count, events.data(), FALSE, timeout) == WAIT_TIMEOUT) return;
  for (Waited& one : waited) {
    const bool wants = one.wanted.readable || one.wanted.writable;
    if (wants && WaitForSingleObject(one.native, 0) == WAIT_OBJECT_0) one.happened = one.wanted;
  }
}

}  // namespace lwmsg::internal
