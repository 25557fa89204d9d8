#include "tests/support/inventory.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include <cstdlib>
#include <filesystem>

#include "runtime/closer.h"

namespace lwmsg::test {
namespace {

// libuv keeps a pipe for signals from the first loop of the process on.
void OpenWhatLibuvKeeps() {
  uv_loop_t loop;
  if (uv_loop_init(&loop) != 0 || uv_loop_close(&loop) != 0) std::abort();
}

}  // namespace

std::map<int, std::string> OpenDescriptors() {
  internal::FinishClosing();
  static const bool opened = (OpenWhatLibuvKeeps(), true);
  static_cast<void>(opened);
  std::map<int, std::string> descriptors;
  DIR* folder = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(folder)) {
    const int number = std::atoi(entry->d_name);
    if (entry->d_name[0] == '.' || number == dirfd(folder)) continue;
    std::error_code error;
    descriptors[number] =
        std::filesystem::read_symlink(std::string("/proc/self/fd/") + entry->d_name, error);
  }
  closedir(folder);
  return descriptors;
}

}  // namespace lwmsg::test

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// libuv closes descriptors by syscall(2) (1.44, src/unix/core.c), where ThreadSanitizer does not
// see it: the next owner of the number would look like a race with the one before.
extern "C" long VisibleSyscall(long number, long a, long b, long c, long d, long e,
                               long f) __asm__("syscall");
long VisibleSyscall(long number, long a, long b, long c, long d, long e, long f) {
  if (number == SYS_close) return close(static_cast<int>(a));
  static const auto next = reinterpret_cast<decltype(&VisibleSyscall)>(dlsym(RTLD_NEXT, "syscall"));
  return next(number, a, b, c, d, e, f);
}
#endif
#endif
