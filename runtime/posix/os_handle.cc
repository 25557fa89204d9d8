#include "lwmsg/os_handle.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "runtime/platform.h"

namespace lwmsg {

void OsHandle::Close() {
  // Not repeated on EINTR: Linux has freed the number by then (close(2)).
  if (valid()) close(Release());
}

Result<OsHandle> OsHandle::Duplicate() const {
  if (!valid()) return Error(StatusCode::kFailedPrecondition, "no handle to duplicate");
  const int copy = fcntl(native_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) {
    return Error(StatusCode::kResourceExhausted,
                 std::string("cannot duplicate a descriptor: ") + std::strerror(errno));
  }
  return OsHandle(copy);
}

bool OsHandle::ControlsProcess() const { return false; }

size_t internal::MostHandles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return limit.rlim_cur;
}

uint32_t internal::OwnPid() { return static_cast<uint32_t>(getpid()); }

void internal::KeepFromChildren(const OsHandle& handle) {
  fcntl(handle.get(), F_SETFD, FD_CLOEXEC);
}

}  // namespace lwmsg
