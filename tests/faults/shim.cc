// Functions of the C library as this program and all its libraries call them: the dynamic linker
// finds those of the program first. They have names of their own here, as the C library's headers
// declare what they are called.
#include "tests/faults/shim.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <utility>

namespace faults {
namespace {

Plan plan;
std::atomic<Seen*> seen = nullptr;
thread_local int exempt = 0;

// The code of libraries that end the process where they find no memory.
struct Library {
  const char* name;
  uintptr_t begin;
  uintptr_t end;
};
Library libuv = {"libuv.so", 0, 0};
Library libc = {"libc.so", 0, 0};

int FindLibraries(dl_phdr_info* info, size_t /*size*/, void* /*data*/) {
  for (Library* library : {&libuv, &libc}) {
    if (std::strstr(info->dlpi_name, library->name) == nullptr) continue;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
      const auto& part = info->dlpi_phdr[i];
      if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
      library->begin = info->dlpi_addr + part.p_vaddr;
      library->end = library->begin + part.p_memsz;
    }
  }
  return 0;
}

bool IsIn(const Library& library, const void* code) {
  const auto address = reinterpret_cast<uintptr_t>(code);
  return address >= library.begin && address < library.end;
}

// Counts a call; whether the plan is about it.
bool Strikes(Call call) {
  Seen* const now = seen.load(std::memory_order_acquire);
  if (now == nullptr || exempt != 0) return false;
  const uint32_t number = now->calls[static_cast<size_t>(call)]++;
  if (call < Call::kThread) {
    const uint32_t of_all = now->system_calls++;
    if (plan.what == What::kKill && of_all == plan.first) {
      ++now->hits;
      syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    }
  }
  if (plan.what != What::kFail && plan.what != What::kShort) return false;
  if (call != plan.call || number < plan.first || number - plan.first >= plan.count) return false;
  ++now->hits;
  return true;
}

// Whether the call shall fail; errno says how.
bool Fails(Call call) {
  if (!Strikes(call) || plan.what != What::kFail) return false;
  errno = plan.error;
  return true;
}

// Whether an allocation that `caller` asks for shall fail.
bool NoMemoryFor(const void* caller) {
  return !IsIn(libuv, caller) && !IsIn(libc, caller) && Fails(Call::kMalloc);
}

template <typename... Args>
long Through(Call call, long number, Args... args) {
  return Fails(call) ? -1 : syscall(number, args...);
}

// A message of a socket, whole or only its first byte.
long Message(Call call, long number, int socket, msghdr* header, int flags) {
  if (!Strikes(call)) return syscall(number, socket, header, flags);
  if (plan.what == What::kFail) {
    // With that the connection is over, for the peer too.
    if (plan.error == EPIPE || plan.error == ECONNRESET) syscall(SYS_shutdown, socket, SHUT_RDWR);
    errno = plan.error;
    return -1;
  }
  iovec first{};
  for (size_t i = 0; i < header->msg_iovlen && first.iov_len == 0; ++i) {
    first = {header->msg_iov[i].iov_base, header->msg_iov[i].iov_len != 0 ? size_t{1} : 0};
  }
  iovec* const pieces = std::exchange(header->msg_iov, &first);
  const size_t count = std::exchange(header->msg_iovlen, size_t{1});
  const long result = syscall(number, socket, header, flags);
  header->msg_iov = pieces;
  header->msg_iovlen = count;
  return result;
}

}  // namespace

void Arm(const Plan& wanted, Seen& counted) {
  plan = wanted;
  if (libuv.end == 0) dl_iterate_phdr(FindLibraries, nullptr);
  seen.store(&counted, std::memory_order_release);
}

void Disarm() { seen.store(nullptr, std::memory_order_release); }

Exempt::Exempt() { ++exempt; }
Exempt::~Exempt() { --exempt; }

}  // namespace faults

using faults::Call;
using faults::Fails;
using faults::Through;

extern "C" {

ssize_t ShimRead(int file, void* to, size_t size) __asm__("read");
ssize_t ShimWrite(int file, const void* from, size_t size) __asm__("write");
ssize_t ShimRecvmsg(int socket, msghdr* header, int flags) __asm__("recvmsg");
ssize_t ShimSendmsg(int socket, const msghdr* header, int flags) __asm__("sendmsg");
int ShimAccept4(int socket, void* address, void* size, int flags) __asm__("accept4");
int ShimConnect(int socket, const void* address, unsigned size) __asm__("connect");
int ShimSocket(int domain, int type, int protocol) __asm__("socket");
int ShimSocketpair(int domain, int type, int protocol, int* ends) __asm__("socketpair");
int ShimBind(int socket, const void* address, unsigned size) __asm__("bind");
int ShimListen(int socket, int backlog) __asm__("listen");
int ShimShutdown(int socket, int how) __asm__("shutdown");
int ShimGetsockopt(int socket, int level, int name, void* value, void* size) __asm__("getsockopt");
int ShimSetsockopt(int socket, int level, int name, const void* value,
                   unsigned size) __asm__("setsockopt");
int ShimGetsockname(int socket, void* address, void* size) __asm__("getsockname");
int ShimGetpeername(int socket, void* address, void* size) __asm__("getpeername");
int ShimEpollCreate1(int flags) __asm__("epoll_create1");
int ShimEpollCtl(int epoll, int what, int file, epoll_event* event) __asm__("epoll_ctl");
int ShimEpollWait(int epoll, epoll_event* events, int most, int timeout) __asm__("epoll_wait");
int ShimEpollPwait(int epoll, epoll_event* events, int most, int timeout,
                   const sigset_t* mask) __asm__("epoll_pwait");
int ShimEventfd(unsigned value, int flags) __asm__("eventfd");
int ShimPoll(void* files, unsigned long count, int timeout) __asm__("poll");
int ShimIoctl(int file, unsigned long request, ...) __asm__("ioctl");
int ShimFcntl(int file, int command, ...) __asm__("fcntl");
int ShimFcntl64(int file, int command, ...) __asm__("fcntl64");
int ShimOpen(const char* path, int flags, ...) __asm__("open");
int ShimOpen64(const char* path, int flags, ...) __asm__("open64");
int ShimClose(int file) __asm__("close");
int ShimFstat(int file, void* to) __asm__("fstat");
int ShimFstatfs(int file, void* to) __asm__("fstatfs");
int ShimLstat(const char* path, void* to) __asm__("lstat");
int ShimStat(const char* path, void* to) __asm__("stat");
int ShimStatx(int folder, const char* path, int flags, unsigned mask, void* to) __asm__("statx");
ssize_t ShimReadlink(const char* path, char* to, size_t size) __asm__("readlink");
int ShimFtruncate(int file, long size) __asm__("ftruncate");
int ShimFallocate(int file, int mode, long from, long size) __asm__("fallocate");
int ShimMemfdCreate(const char* name, unsigned flags) __asm__("memfd_create");
void* ShimMmap(void* where, size_t size, int access, int flags, int file,
               long offset) __asm__("mmap");
int ShimRename(const char* from, const char* to) __asm__("rename");
int ShimUnlink(const char* path) __asm__("unlink");
int ShimChmod(const char* path, unsigned mode) __asm__("chmod");
int ShimFchmod(int file, unsigned mode) __asm__("fchmod");
int ShimFchownat(int folder, const char* path, unsigned user, unsigned group,
                 int flags) __asm__("fchownat");
int ShimFlock(int file, int what) __asm__("flock");
ssize_t ShimGetrandom(void* to, size_t size, unsigned flags) __asm__("getrandom");
int ShimSpawn(pid_t* child, const char* program, const void* files, const void* attributes,
              char* const* arguments, char* const* environment) __asm__("posix_spawnp");
long ShimSyscall(long number, ...) __asm__("syscall");
int ShimThread(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
               void* argument) __asm__("pthread_create");
void* ShimMalloc(size_t size) __asm__("malloc");
void* ShimCalloc(size_t count, size_t size) __asm__("calloc");
void* ShimRealloc(void* block, size_t size) __asm__("realloc");

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);

ssize_t ShimRead(int file, void* to, size_t size) {
  // Of an eventfd: what else is read, the tests read.
  if (size == sizeof(uint64_t)) return Through(Call::kRead, SYS_read, file, to, size);
  return syscall(SYS_read, file, to, size);
}
ssize_t ShimWrite(int file, const void* from, size_t size) {
  return Through(Call::kWrite, SYS_write, file, from, size);
}
ssize_t ShimRecvmsg(int socket, msghdr* header, int flags) {
  return faults::Message(Call::kRecvmsg, SYS_recvmsg, socket, header, flags);
}
ssize_t ShimSendmsg(int socket, const msghdr* header, int flags) {
  return faults::Message(Call::kSendmsg, SYS_sendmsg, socket, const_cast<msghdr*>(header), flags);
}
int ShimAccept4(int socket, void* address, void* size, int flags) {
  return Through(Call::kAccept4, SYS_accept4, socket, address, size, flags);
}
int ShimConnect(int socket, const void* address, unsigned size) {
  return Through(Call::kConnect, SYS_connect, socket, address, size);
}
int ShimSocket(int domain, int type, int protocol) {
  return Through(Call::kSocket, SYS_socket, domain, type, protocol);
}
int ShimSocketpair(int domain, int type, int protocol, int* ends) {
  return Through(Call::kSocketpair, SYS_socketpair, domain, type, protocol, ends);
}
int ShimBind(int socket, const void* address, unsigned size) {
  return Through(Call::kBind, SYS_bind, socket, address, size);
}
int ShimListen(int socket, int backlog) {
  return Through(Call::kListen, SYS_listen, socket, backlog);
}
int ShimShutdown(int socket, int how) {
  return Through(Call::kShutdown, SYS_shutdown, socket, how);
}
int ShimGetsockopt(int socket, int level, int name, void* value, void* size) {
  return Through(Call::kGetsockopt, SYS_getsockopt, socket, level, name, value, size);
}
int ShimSetsockopt(int socket, int level, int name, const void* value, unsigned size) {
  return Through(Call::kSetsockopt, SYS_setsockopt, socket, level, name, value, size);
}
int ShimGetsockname(int socket, void* address, void* size) {
  return Through(Call::kGetsockname, SYS_getsockname, socket, address, size);
}
int ShimGetpeername(int socket, void* address, void* size) {
  return Through(Call::kGetpeername, SYS_getpeername, socket, address, size);
}
int ShimEpollCreate1(int flags) { return Through(Call::kEpollCreate, SYS_epoll_create1, flags); }
int ShimEpollCtl(int epoll, int what, int file, epoll_event* event) {
  // Only where libuv asks whether a descriptor can be watched (uv_poll_init): where it then watches
  // it an error ends the process.
  const bool asks = what == EPOLL_CTL_ADD && event->data.fd == -1;
  if (asks) return Through(Call::kEpollCtl, SYS_epoll_ctl, epoll, what, file, event);
  return static_cast<int>(syscall(SYS_epoll_ctl, epoll, what, file, event));
}
int ShimEpollPwait(int epoll, epoll_event* events, int most, int timeout, const sigset_t* mask) {
  return Through(Call::kEpollWait, SYS_epoll_pwait, epoll, events, most, timeout, mask,
                 size_t{_NSIG / 8});
}
int ShimEpollWait(int epoll, epoll_event* events, int most, int timeout) {
  return ShimEpollPwait(epoll, events, most, timeout, nullptr);
}
int ShimEventfd(unsigned value, int flags) {
  // Where libuv has none for a loop it leaves another descriptor open.
  if (faults::IsIn(faults::libuv, __builtin_return_address(0))) {
    return static_cast<int>(syscall(SYS_eventfd2, value, flags));
  }
  return Through(Call::kEventfd, SYS_eventfd2, value, flags);
}
int ShimPoll(void* files, unsigned long count, int timeout) {
  return Through(Call::kPoll, SYS_poll, files, count, timeout);
}
int ShimIoctl(int file, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  return Through(Call::kIoctl, SYS_ioctl, file, request, argument);
}
int ShimFcntl(int file, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  return Through(Call::kFcntl, SYS_fcntl, file, command, argument);
}
int ShimFcntl64(int file, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  return ShimFcntl(file, command, argument);
}
int ShimOpen(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const unsigned mode = va_arg(rest, unsigned);
  va_end(rest);
  return Through(Call::kOpen, SYS_openat, AT_FDCWD, path, flags, mode);
}
int ShimOpen64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const unsigned mode = va_arg(rest, unsigned);
  va_end(rest);
  return ShimOpen(path, flags, mode);
}
int ShimClose(int file) {
  // As on Linux the descriptor is gone also then (close(2)).
  const bool fails = faults::Strikes(Call::kClose);
  const long result = syscall(SYS_close, file);
  if (!fails) return static_cast<int>(result);
  errno = faults::plan.error;
  return -1;
}
int ShimFstat(int file, void* to) { return Through(Call::kFstat, SYS_fstat, file, to); }
int ShimFstatfs(int file, void* to) { return Through(Call::kFstatfs, SYS_fstatfs, file, to); }
int ShimLstat(const char* path, void* to) { return Through(Call::kLstat, SYS_lstat, path, to); }
int ShimStat(const char* path, void* to) { return Through(Call::kStat, SYS_stat, path, to); }
int ShimStatx(int folder, const char* path, int flags, unsigned mask, void* to) {
  return Through(Call::kStatx, SYS_statx, folder, path, flags, mask, to);
}
ssize_t ShimReadlink(const char* path, char* to, size_t size) {
  return Through(Call::kReadlink, SYS_readlink, path, to, size);
}
int ShimFtruncate(int file, long size) {
  return Through(Call::kFtruncate, SYS_ftruncate, file, size);
}
int ShimFallocate(int file, int mode, long from, long size) {
  return Through(Call::kFallocate, SYS_fallocate, file, mode, from, size);
}
int ShimMemfdCreate(const char* name, unsigned flags) {
  return Through(Call::kMemfdCreate, SYS_memfd_create, name, flags);
}
void* ShimMmap(void* where, size_t size, int access, int flags, int file, long offset) {
  // Other memory is the allocator's.
  if (file >= 0 && Fails(Call::kMmap)) return MAP_FAILED;
  return reinterpret_cast<void*>(syscall(SYS_mmap, where, size, access, flags, file, offset));
}
int ShimRename(const char* from, const char* to) {
  return Through(Call::kRename, SYS_rename, from, to);
}
int ShimUnlink(const char* path) { return Through(Call::kUnlink, SYS_unlink, path); }
int ShimChmod(const char* path, unsigned mode) {
  return Through(Call::kChmod, SYS_chmod, path, mode);
}
int ShimFchmod(int file, unsigned mode) { return Through(Call::kFchmod, SYS_fchmod, file, mode); }
int ShimFchownat(int folder, const char* path, unsigned user, unsigned group, int flags) {
  return Through(Call::kFchownat, SYS_fchownat, folder, path, user, group, flags);
}
int ShimFlock(int file, int what) { return Through(Call::kFlock, SYS_flock, file, what); }
ssize_t ShimGetrandom(void* to, size_t size, unsigned flags) {
  return Through(Call::kGetrandom, SYS_getrandom, to, size, flags);
}
int ShimSpawn(pid_t* child, const char* program, const void* files, const void* attributes,
              char* const* arguments, char* const* environment) {
  using Real = int (*)(pid_t*, const char*, const void*, const void*, char* const*, char* const*);
  static const Real real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "posix_spawnp"));
  if (Fails(Call::kSpawn)) return errno;
  return real(child, program, files, attributes, arguments, environment);
}
// For calls that the C library has no function for. All of this file come here too.
long ShimSyscall(long number, ...) {
  using Real = long (*)(long, ...);
  // Not a constant: what guards its making calls this.
  static std::atomic<Real> known = nullptr;
  Real real = known;
  if (real == nullptr) known = real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "syscall"));
  va_list rest;
  va_start(rest, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_pidfd_open && Fails(Call::kPidfdOpen)) return -1;
  return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
              arguments[5]);
}
int ShimThread(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
               void* argument) {
  using Real = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const Real real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "pthread_create"));
  if (faults::Strikes(Call::kThread)) return faults::plan.error;
  return real(thread, attributes, run, argument);
}
void* ShimMalloc(size_t size) {
  return faults::NoMemoryFor(__builtin_return_address(0)) ? nullptr : __libc_malloc(size);
}
void* ShimCalloc(size_t count, size_t size) {
  return faults::NoMemoryFor(__builtin_return_address(0)) ? nullptr : __libc_calloc(count, size);
}
void* ShimRealloc(void* block, size_t size) {
  return faults::NoMemoryFor(__builtin_return_address(0)) ? nullptr : __libc_realloc(block, size);
}

}  // extern "C"
