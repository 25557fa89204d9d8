#pragma once

#include <utility>

#include "lwmsg/status.h"

namespace lwmsg {

// Owns one open file: a descriptor on Unix, a HANDLE on Windows. Moving passes it on, destroying
// closes it. Descriptor 0 is a descriptor like any other. Not thread-safe; may move between
// threads.
class OsHandle {
 public:
#ifdef _WIN32
  using Native = void*;
  static constexpr Native kNone = nullptr;
#else
  using Native = int;
  static constexpr Native kNone = -1;
#endif

  OsHandle() = default;
  // Takes ownership of `native`.
  explicit OsHandle(Native native) : native_(native) {}
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
