// What each call is called, and how it fails.
#include <cerrno>

#include "tests/faults/shim.h"

namespace faults {
namespace {

constexpr std::array kOfDescriptors = {EMFILE, ENFILE, ENOMEM};

struct Known {
  const char* name;
  std::span<const int> errors;
};

constexpr std::array kRead = {EINTR, EAGAIN};  // Of an eventfd.
constexpr std::array kWrite = {EINTR};
constexpr std::array kRecvmsg = {EINTR, EAGAIN, ENOMEM, ECONNRESET, ECONNREFUSED};
constexpr std::array kSendmsg = {EINTR,  EAGAIN,  EPIPE,        ECONNRESET,
                                 ENOMEM, ENOBUFS, ETOOMANYREFS, EPERM};
constexpr std::array kAccept4 = {EINTR,  EAGAIN,  ECONNABORTED, EMFILE, ENFILE,
                                 ENOMEM, ENOBUFS, EPERM,        EPROTO};
constexpr std::array kConnect = {EAGAIN, EACCES, EPERM, ECONNREFUSED, ENOENT, EINTR};
constexpr std::array kSocket = {EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES};
constexpr std::array kBind = {EADDRINUSE, EACCES, ENOMEM, EROFS};
constexpr std::array kListen = {EADDRINUSE};
constexpr std::array kShutdown = {ENOTCONN, ENOBUFS};
constexpr std::array kGetsockopt = {ENOPROTOOPT, ENOMEM, EMFILE, ENODATA};
constexpr std::array kSetsockopt = {ENOPROTOOPT, ENOMEM};
constexpr std::array kGetsockname = {ENOBUFS};
constexpr std::array kGetpeername = {ENOBUFS, ENOTCONN};
constexpr std::array kEpollCtl = {ENOMEM, ENOSPC};
constexpr std::array kEpollWait = {EINTR};
constexpr std::array kEventfd = {EMFILE, ENFILE, ENOMEM, ENODEV};
constexpr std::array kPoll = {EINTR, EAGAIN, ENOMEM};
constexpr std::array kIoctl = {ENOTTY};
constexpr std::array kFcntl = {EMFILE, EPERM, EBUSY, EINVAL};
constexpr std::array kOpen = {EMFILE, ENFILE, ENOMEM, EACCES, ENOENT, EINTR, EROFS, ENOSPC};
constexpr std::array kClose = {EINTR, EIO};
constexpr std::array kFstat = {ENOMEM, EOVERFLOW};
constexpr std::array kFstatfs = {ENOMEM, EIO, EINTR};
constexpr std::array kOfPaths = {ENOMEM, EACCES, ENOENT, ENOTDIR, ELOOP};
constexpr std::array kStatx = {ENOMEM};
constexpr std::array kReadlink = {ENOMEM, EACCES, ENOENT, ENOTDIR, ELOOP, EINVAL, EIO};
constexpr std::array kFtruncate = {EINTR, EIO, EPERM};
constexpr std::array kFallocate = {ENOSPC, EINTR, EIO};
constexpr std::array kMmap = {ENOMEM, EAGAIN, ENFILE, EPERM};
constexpr std::array kOfNames = {EACCES, EIO, ENOSPC, EROFS, ENOMEM};
constexpr std::array kFchownat = {EPERM, EROFS, EIO, ENOMEM};
constexpr std::array kFlock = {EWOULDBLOCK, EINTR, ENOLCK};
constexpr std::array kGetrandom = {EINTR, EAGAIN};
constexpr std::array kSpawn = {EAGAIN, ENOMEM, ENOENT, EACCES};
constexpr std::array kPidfdOpen = {EMFILE, ENFILE, ENOMEM, ENODEV, ESRCH};
constexpr std::array kThread = {EAGAIN};
constexpr std::array kMalloc = {ENOMEM};

// In the order of Call.
constexpr std::array<Known, kCalls> kKnown = {{{"read", kRead},
                                               {"write", kWrite},
                                               {"recvmsg", kRecvmsg},
                                               {"sendmsg", kSendmsg},
                                               {"accept4", kAccept4},
                                               {"connect", kConnect},
                                               {"socket", kSocket},
                                               {"socketpair", kSocket},
                                               {"bind", kBind},
                                               {"listen", kListen},
                                               {"shutdown", kShutdown},
                                               {"getsockopt", kGetsockopt},
                                               {"setsockopt", kSetsockopt},
                                               {"getsockname", kGetsockname},
                                               {"getpeername", kGetpeername},
                                               {"epoll_create1", kOfDescriptors},
                                               {"epoll_ctl", kEpollCtl},
                                               {"epoll_pwait", kEpollWait},
                                               {"eventfd", kEventfd},
                                               {"poll", kPoll},
                                               {"ioctl", kIoctl},
                                               {"fcntl", kFcntl},
                                               {"open", kOpen},
                                               {"close", kClose},
                                               {"fstat", kFstat},
                                               {"fstatfs", kFstatfs},
                                               {"lstat", kOfPaths},
                                               {"stat", kOfPaths},
                                               {"statx", kStatx},
                                               {"readlink", kReadlink},
                                               {"ftruncate", kFtruncate},
                                               {"fallocate", kFallocate},
                                               {"memfd_create", kOfDescriptors},
                                               {"mmap", kMmap},
                                               {"rename", kOfNames},
                                               {"unlink", kOfNames},
                                               {"chmod", kOfNames},
                                               {"fchmod", kOfNames},
                                               {"fchownat", kFchownat},
                                               {"flock", kFlock},
                                               {"getrandom", kGetrandom},
                                               {"posix_spawnp", kSpawn},
                                               {"pidfd_open", kPidfdOpen},
                                               {"pthread_create", kThread},
                                               {"malloc", kMalloc}}};

}  // namespace

const char* NameOf(Call call) { return kKnown[static_cast<size_t>(call)].name; }

std::span<const int> ErrorsOf(Call call) { return kKnown[static_cast<size_t>(call)].errors; }

}  // namespace faults
