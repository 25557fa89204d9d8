#include "lwmsg/pair.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "runtime/posix/peer_token.h"
#include "runtime/posix/socket_address.h"

namespace lwmsg {
namespace {

constexpr const char* kPairVariable = "LWMSG_PAIR_FD";

// This process's environment with the number of the child's end, as posix_spawn takes it.
class ChildEnvironment {
 public:
  explicit ChildEnvironment(int fd) : pair_(std::string(kPairVariable) + "=" + std::to_string(fd)) {
    const std::string prefix = std::string(kPairVariable) + "=";
    for (char** entry = environ; *entry != nullptr; ++entry) {
      if (!std::string_view(*entry).starts_with(prefix)) entries_.push_back(*entry);
    }
    entries_.push_back(pair_.data());
    entries_.push_back(nullptr);
  }
  char** get() { return entries_.data(); }

 private:
  std::string pair_;
  std::vector<char*> entries_;
};

// Undoes posix_spawn_file_actions_init.
struct FileActions {
  FileActions() { posix_spawn_file_actions_init(&actions); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions); }
  posix_spawn_file_actions_t actions;
};

}  // namespace

Result<std::pair<OsHandle, OsHandle>> MakePair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return Error(internal::ErrnoStatus("cannot make a pair of sockets", errno));
  }
  return std::pair(OsHandle(ends[0]), OsHandle(ends[1]));
}

Status SetPairPeer(const OsHandle& /*end*/, uint32_t /*pid*/) { return Status(); }

Result<Child> SpawnWithPair(const std::vector<std::string>& argv) {
  if (argv.empty()) {
    return Error(StatusCode::kInvalidArgument, "no program to start: argv is empty");
  }
  auto pair = MakePair();
  if (!pair) return Error(std::move(pair).error());
  const int child_end = pair->second.get();
  FileActions files;
  // A dup2 to itself: the child's copy loses close-on-exec, ours keeps it, so that no other child
  // gets it.
  posix_spawn_file_actions_adddup2(&files.actions, child_end, child_end);
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ChildEnvironment environment(child_end);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0], &files.actions, nullptr, arguments.data(),
                                 environment.get());
  if (error != 0) return Error(internal::ErrnoStatus("cannot start " + argv[0], error));
  Child child;
  child.pid = static_cast<uint32_t>(pid);
  child.process = OsHandle(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  child.channel = std::move(pair->first);
  return child;
}

Result<OsHandle> TakeInheritedPair() {
  const char* text = std::getenv(kPairVariable);
  if (text == nullptr) {
    return Error(StatusCode::kFailedPrecondition,
                 std::string("this process inherited no pair: ") + kPairVariable +
                     " is not set; start it by lwmsg::SpawnWithPair");
  }
  const std::string_view digits = text;
  int number = -1;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  const bool valid = error == std::errc() && end == digits.end() && number >= 0;
  const std::string quoted(digits);
  unsetenv(kPairVariable);  // Also the end of what `text` points to.
  if (!valid || fcntl(number, F_SETFD, FD_CLOEXEC) != 0) {
    return Error(StatusCode::kFailedPrecondition,
                 std::string(kPairVariable) + "=" + quoted + " names no open descriptor");
  }
  return OsHandle(number);
}

}  // namespace lwmsg
