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
constexpr std::array kLstat = {ENOMEM, EACCES};
constexpr std::array kFtruncate = {EINTR, EIO, EPERM};
constexpr std::array kFallocate = {ENOSPC, EINTR, EIO};
constexpr std::array kMmap = {ENOMEM, EAGAIN, ENFILE, EPERM};
constexpr std::array kOfNames = {EACCES, EIO, ENOSPC, EROFS, ENOMEM};
constexpr std::array kFlock = {EWOULDBLOCK, EINTR, ENOLCK};
constexpr std::array kGetrandom = {EINTR, EAGAIN};
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
                                               {"lstat", kLstat},
                                               {"ftruncate", kFtruncate},
                                               {"fallocate", kFallocate},
                                               {"memfd_create", kOfDescriptors},
                                               {"mmap", kMmap},
                                               {"rename", kOfNames},
                                               {"unlink", kOfNames},
                                               {"chmod", kOfNames},
                                               {"fchmod", kOfNames},
                                               {"flock", kFlock},
                                               {"getrandom", kGetrandom},
                                               {"pthread_create", kThread},
                                               {"malloc", kMalloc}}};

}  // namespace

const char* NameOf(Call call) { return kKnown[static_cast<size_t>(call)].name; }

std::span<const int> ErrorsOf(Call call) { return kKnown[static_cast<size_t>(call)].errors; }

}  // namespace faults
