#pragma once

#include <cstdint>
#include <utility>

#include "lwmsg/status.h"

namespace lwmsg {

// Owns one open file: a descriptor on Unix, a HANDLE on Windows. Moving passes it on, destroying
// closes it. Descriptor 0 is a descriptor like any other. Not thread-safe; may move between
// threads.
class OsHandle {
 public:
#ifdef _WIN32
  using Native = void*;  // HANDLE, also of a socket.
  static constexpr Native kNone = nullptr;

  OsHandle() = default;
  // Takes ownership of `native`. Of INVALID_HANDLE_VALUE it does not: that is what CreateFile gives
  // for none, and elsewhere it means this process.
  explicit OsHandle(Native native)
      : native_(reinterpret_cast<intptr_t>(native) == -1 ? kNone : native) {}
#else
  using Native = int;
  static constexpr Native kNone = -1;

  OsHandle() = default;
  // Takes ownership of `native`.
  explicit OsHandle(Native native) : native_(native) {}
#endif

  OsHandle(OsHandle&& other) noexcept : native_(std::exchange(other.native_, kNone)) {}
  OsHandle& operator=(OsHandle&& other) noexcept {
    if (this != &other) {
      Close();
      native_ = std::exchange(other.native_, kNone);
    }
    return *this;
  }
  ~OsHandle() { Close(); }

  bool valid() const { return native_ != kNone; }
  // The number, still owned by this.
  Native get() const { return native_; }
  // Gives the number and its ownership to the caller.
  [[nodiscard]] Native Release() { return std::exchange(native_, kNone); }
  // Closes it now; does nothing if there is none.
  void Close();
  // A second, close-on-exec owner of the same open file. Error: kResourceExhausted at the process's
  // limit of descriptors, kFailedPrecondition if this owns none.
  Result<OsHandle> Duplicate() const;

 private:
  Native native_ = kNone;
};

}  // namespace lwmsg
