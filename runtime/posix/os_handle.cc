#include "lwmsg/os_handle.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>

#include "runtime/platform.h"

namespace lwmsg {
namespace {

uint8_t KindOf(mode_t mode) {
  if (S_ISREG(mode)) return OsHandle::kFile;
  if (S_ISDIR(mode)) return OsHandle::kDirectory;
  if (S_ISFIFO(mode)) return OsHandle::kPipe;
  if (S_ISSOCK(mode)) return OsHandle::kSocket;
  return S_ISCHR(mode) || S_ISBLK(mode) ? OsHandle::kDevice : 0;
}

}  // namespace

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

OsHandle::Description OsHandle::Describe() const {
  const int flags = fcntl(native_, F_GETFL);
  if (flags < 0 || (flags & O_PATH) != 0) return {};
  const int access = flags & O_ACCMODE;
  // Of a file system that is a program of the peer's (FUSE) the kernel's copy will do: what a file
  // is does not change.
  struct statx status{};
  const bool known =
      statx(native_, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) == 0;
  return {known ? KindOf(status.stx_mode) : uint8_t{0}, access == O_RDONLY || access == O_RDWR,
          access == O_WRONLY || access == O_RDWR};
}

size_t internal::MostHandles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return limit.rlim_cur;
}

void internal::ReserveHandles(size_t count) {
  const size_t most = std::min({count, MostHandles(), size_t{INT_MAX}});
  OsHandle some(eventfd(0, EFD_CLOEXEC));
  if (most == 0 || !some.valid()) return;
  const OsHandle last(fcntl(some.get(), F_DUPFD_CLOEXEC, static_cast<int>(most - 1)));
}

uint32_t internal::OwnPid() { return static_cast<uint32_t>(getpid()); }

void internal::KeepFromChildren(const OsHandle& handle) {
  fcntl(handle.get(), F_SETFD, FD_CLOEXEC);
}

}  // namespace lwmsg
