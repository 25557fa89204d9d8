#pragma once

#include <uv.h>

#include <memory>

namespace lwmsg::internal {

// Owns one libuv handle. libuv may use a handle's memory until its close callback ran (libuv design
// overview, "Handles"), so that callback frees it, after this object has gone.
template <typename Handle>
class UvHandle {
 public:
  UvHandle() = default;
  UvHandle(const UvHandle&) = delete;
  UvHandle& operator=(const UvHandle&) = delete;
  ~UvHandle() {
    if (!open_) return;
    handle_->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle_.release()),
             [](uv_handle_t* handle) { delete reinterpret_cast<Handle*>(handle); });
  }

  // Runs `init(handle)`, one of the uv_*_init functions; returns what it does.
  template <typename Init>
  int Open(void* data, Init init) {
    const int result = init(handle_.get());
    open_ = result == 0;
    handle_->data = data;
    return result;
  }

  Handle* get() { return handle_.get(); }
  uv_handle_t* base() { return reinterpret_cast<uv_handle_t*>(handle_.get()); }

 private:
  std::unique_ptr<Handle> handle_ = std::make_unique<Handle>();
  bool open_ = false;
};

}  // namespace lwmsg::internal
