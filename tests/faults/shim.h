#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace faults {

// What the shim stands in front of: system calls, each once under the name of the function that
// libraries call, then the start of a thread and the allocator.
enum class Call : uint8_t {
  kRead,
  kWrite,
  kRecvmsg,
  kSendmsg,
  kAccept4,
  kConnect,
  kSocket,
  kSocketpair,
  kBind,
  kListen,
  kShutdown,
  kGetsockopt,
  kSetsockopt,
  kGetsockname,
  kGetpeername,
  kEpollCreate,
  kEpollCtl,
  kEpollWait,
  kEventfd,
  kPoll,
  kIoctl,
  kFcntl,
  kOpen,
  kClose,
  kFstat,
  kFstatfs,
  kLstat,
  kStat,
  kStatx,
  kReadlink,
  kFtruncate,
  kFallocate,
  kMemfdCreate,
  kMmap,
  kRename,
  kUnlink,
  kChmod,
  kFchmod,
  kFchownat,
  kFlock,
  kGetrandom,
  kSpawn,
  kPidfdOpen,
  kThread,
  kMalloc,
};
constexpr size_t kCalls = static_cast<size_t>(Call::kMalloc) + 1;

const char* NameOf(Call call);
// The errors of this call's man page that can happen to a program without a bug, but for those that
// need no test as they only come from wrong arguments.
std::span<const int> ErrorsOf(Call call);

enum class What : uint8_t {
  kNothing,
  kFail,   // `call` number `first` and the `count - 1` behind it fail with `error`.
  kShort,  // The same, but reads and writes of a socket move one byte.
  kKill,   // The process is killed at its system call number `first`, whatever that is.
};

// Numbers count from 0, from Arm on.
struct Plan {
  What what = What::kNothing;
  Call call = Call::kRead;
  int error = 0;
  uint32_t first = 0;
  uint32_t count = 1;
};

// What a process has called since Arm. In memory that the runner sees.
struct Seen {
  std::array<std::atomic<uint32_t>, kCalls> calls{};
  std::atomic<uint32_t> system_calls{};  // All but threads and memory.
  std::atomic<uint32_t> hits{};          // How often the plan struck.
};

// For this process, from now until Disarm.
void Arm(const Plan& plan, Seen& seen);
void Disarm();

// Lets through what the code that is not tested calls on this thread.
class Exempt {
 public:
  Exempt();
  Exempt(const Exempt&) = delete;
  Exempt& operator=(const Exempt&) = delete;
  ~Exempt();
};

}  // namespace faults
