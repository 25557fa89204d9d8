#include "runtime/counted_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace lwmsg::internal {

// The writing end of a pipe, whose reading end learns when the other is closed.
CountedFile MakeCountedFile() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
  return {OsHandle(ends[1]), OsHandle(ends[0])};
}

// Both ends of a pipe have one number.
bool IsFileOf(const OsHandle& watch, const OsHandle& handle) {
  struct stat own{};
  struct stat other{};
  if (fstat(watch.get(), &own) != 0) std::abort();
  if (fstat(handle.get(), &other) != 0) return false;
  return own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

bool IsFileOpen(const OsHandle& watch) {
  pollfd ended{watch.get(), 0, 0};
  if (poll(&ended, 1, 0) < 0) std::abort();
  return (ended.revents & POLLHUP) == 0;
}

}  // namespace lwmsg::internal
