#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "tests/support/system.h"

namespace lwmsg::test {
namespace {

constexpr int kLongestWaitMs = 20'000;

bool IsReadable(const OsHandle& file, int timeout_ms) {
  pollfd polled = {file.get(), POLLIN, 0};
  return poll(&polled, 1, timeout_ms) == 1;
}

}  // namespace

std::string OwnPath() { return std::filesystem::read_symlink("/proc/self/exe"); }

Process::Process(const std::string& role, const Arguments& arguments,
                 const std::vector<int>& inherited) {
  OsPipe input = MakeOsPipe();
  OsPipe output = MakeOsPipe();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input.reader.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, output.writer.get(), STDOUT_FILENO);
  for (int number : inherited) posix_spawn_file_actions_adddup2(&files, number, number);
  std::vector<std::string> words = {OwnPath(), "--role=" + role};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (posix_spawn(&pid, argv[0], &files, nullptr, argv.data(), environ) != 0) std::abort();
  posix_spawn_file_actions_destroy(&files);
  pid_ = static_cast<uint32_t>(pid);
  process_ = OsHandle(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  to_role_ = std::move(input.writer);
  from_role_ = std::move(output.reader);
}

bool Process::ReadMore() {
  std::array<char, 4096> buffer{};
  if (!IsReadable(from_role_, kLongestWaitMs)) return false;
  const ssize_t size = read(from_role_.get(), buffer.data(), buffer.size());
  if (size > 0) unread_.append(buffer.data(), static_cast<size_t>(size));
  return size > 0;
}

void Process::Kill() { kill(static_cast<pid_t>(pid_), SIGKILL); }

int Process::Wait() {
  int status = 0;
  if (!WaitForEnd(process_)) return -1;
  waitpid(static_cast<pid_t>(pid_), &status, 0);
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A child's number is not given away before it is waited for.
Reaper::Reaper(uint32_t pid) : pid_(pid) {}

Reaper::~Reaper() {
  Kill();
  waitpid(static_cast<pid_t>(pid_), nullptr, 0);
}

void Reaper::Kill() const { kill(static_cast<pid_t>(pid_), SIGKILL); }

void DieWithParent() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

bool HasEnded(const OsHandle& process) { return IsReadable(process, 0); }
bool WaitForEnd(const OsHandle& process) { return IsReadable(process, kLongestWaitMs); }

std::string NumberOf(const OsHandle& file) { return std::to_string(file.get()); }
OsHandle TakeNumber(const std::string& number) { return OsHandle(std::stoi(number)); }

}  // namespace lwmsg::test
