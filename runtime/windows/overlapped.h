#pragma once

#include <windows.h>

#include "lwmsg/os_handle.h"

namespace lwmsg::internal {

// One operation at a time on a pipe that was opened with FILE_FLAG_OVERLAPPED. The event is set
// while none is under way that it could tell of, or one has ended.
class Overlapped {
 public:
  Overlapped() : event_(CreateEventW(nullptr, TRUE, TRUE, nullptr)) {
    overlapped_.hEvent = event_.get();
  }
  Overlapped(const Overlapped&) = delete;
  Overlapped& operator=(const Overlapped&) = delete;

  const OsHandle& event() const { return event_; }
  void Set() { SetEvent(event_.get()); }
  void Reset() { ResetEvent(event_.get()); }
  bool pending() const { return pending_; }

  // Runs `begin(overlapped)`, one of the system's functions that take it. 0 if the operation is
  // under way, even if it has ended at once; otherwise what GetLastError says.
  template <typename Begin>
  DWORD Start(Begin begin) {
    overlapped_ = {};
    overlapped_.hEvent = event_.get();
    const DWORD error = begin(&overlapped_) != 0 ? 0 : GetLastError();
    pending_ = error == 0 || error == ERROR_IO_PENDING;
    if (!pending_) Set();
    return pending_ ? 0 : error;
  }
  // ERROR_IO_INCOMPLETE while it is under way; otherwise it is over, with this error or 0.
  DWORD Finish(const OsHandle& pipe, DWORD* size) {
    const DWORD error =
        GetOverlappedResult(pipe.get(), &overlapped_, size, FALSE) != 0 ? 0 : GetLastError();
    if (error != ERROR_IO_INCOMPLETE) pending_ = false;
    return error;
  }
  // Ends it; the system no longer touches its memory.
  void Cancel(const OsHandle& pipe) {
    if (!pending_) return;
    CancelIoEx(pipe.get(), &overlapped_);
    DWORD size = 0;
    GetOverlappedResult(pipe.get(), &overlapped_, &size, TRUE);
    pending_ = false;
  }

 private:
  OsHandle event_;
  OVERLAPPED overlapped_{};
  bool pending_ = false;
};

}  // namespace lwmsg::internal
