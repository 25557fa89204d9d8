#pragma once

#include <cstdint>
#include <utility>
#include <vector>

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
  // Takes ownership of `native`, which is no socket's. Of INVALID_HANDLE_VALUE it does not: that is
  // what CreateFile gives for none, and elsewhere it means this process.
  explicit OsHandle(Native native)
      : native_(reinterpret_cast<intptr_t>(native) == -1 ? kNone : native) {}
  // Takes ownership of a SOCKET; INVALID_SOCKET is none. Winsock keeps more than the handle, and to
  // ask the system whether a handle is a socket's can wait for whoever uses it.
  static OsHandle OfSocket(uintptr_t socket) {
    OsHandle handle(reinterpret_cast<Native>(socket));
    handle.is_socket_ = handle.valid();
    return handle;
  }
  bool is_socket() const { return is_socket_; }
#else
  using Native = int;
  static constexpr Native kNone = -1;

  OsHandle() = default;
  // Takes ownership of `native`.
  explicit OsHandle(Native native) : native_(native) {}
#endif

  OsHandle(OsHandle&& other) noexcept { Swap(other); }
  OsHandle& operator=(OsHandle&& other) noexcept {
    if (this != &other) {
      Close();
      Swap(other);
    }
    return *this;
  }
  ~OsHandle() { Close(); }

  bool valid() const { return native_ != kNone; }
  // The number, still owned by this.
  Native get() const { return native_; }
  // Gives the number and its ownership to the caller.
  [[nodiscard]] Native Release() {
    OsHandle none;
    Swap(none);
    return std::exchange(none.native_, kNone);
  }
  // Closes it now; does nothing if there is none.
  void Close();
  // A second, close-on-exec owner of the same open file. Error: kResourceExhausted at the process's
  // limit of descriptors, kFailedPrecondition if this owns none.
  Result<OsHandle> Duplicate() const;

  // Whether this is a Windows handle of a process, thread, access token or job, which gives power
  // over a process. Only a field with $Lwmsg.processHandle carries one. Of a Unix descriptor:
  // false.
  bool ControlsProcess() const;

  // Bits of Description::kinds.
  enum Kind : uint8_t { kFile = 1, kDirectory = 2, kPipe = 4, kSocket = 8, kDevice = 16 };
  // What the system says of an open file.
  struct Description {
    // What it may be: one Kind on Unix; on Windows, where asking for more can wait for whoever uses
    // it, kSocket or all others. 0: none of these, such as an epoll, a pidfd, a process, or a
    // descriptor that is only a path (O_PATH).
    uint8_t kinds = 0;
    bool readable = false;
    bool writable = false;
  };
  // Never waits for the file system or for whoever sent it: statx(2) with AT_STATX_DONT_SYNC and
  // F_GETFL; on Windows NtQueryObject.
  Description Describe() const;

 private:
  void Swap(OsHandle& other) {
    std::swap(native_, other.native_);
#ifdef _WIN32
    std::swap(is_socket_, other.is_socket_);
#endif
  }

  Native native_ = kNone;
#ifdef _WIN32
  bool is_socket_ = false;
#endif
};

// Closes `handles` soon, on a thread of lwmsg's. For those that a peer sent: to close the last
// descriptor of a socket with SO_LINGER (socket(7)), or of a file whose file system is a program of
// the peer's (FUSE), takes as long as the peer likes. What a message still has when it goes is
// closed in this way; a handler does the same with what it took, if it shall not wait. Any thread.
void CloseLater(std::vector<OsHandle> handles);

}  // namespace lwmsg
