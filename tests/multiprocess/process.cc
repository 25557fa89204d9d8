#include "tests/multiprocess/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

namespace lwmsg::test {
namespace {

constexpr int kLongestWaitMs = 20'000;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    reader = OsHandle(ends[0]);
    writer = OsHandle(ends[1]);
  }
  OsHandle reader;
  OsHandle writer;
};

bool WaitReadable(const OsHandle& file) {
  pollfd polled = {file.get(), POLLIN, 0};
  return poll(&polled, 1, kLongestWaitMs) == 1;
}

}  // namespace

std::string OwnPath() { return std::filesystem::read_symlink("/proc/self/exe"); }

Process::Process(const std::string& role, const Arguments& arguments,
                 const std::vector<int>& inherited) {
  Pipe input;
  Pipe output;
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
  if (posix_spawn(&pid_, argv[0], &files, nullptr, argv.data(), environ) != 0) std::abort();
  posix_spawn_file_actions_destroy(&files);
  process_ = OsHandle(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  to_role_ = std::move(input.writer);
  from_role_ = std::move(output.reader);
}

Process::~Process() {
  if (pid_ == 0) return;
  Kill();
  Wait();
}

std::string Process::ReadLine() {
  while (unread_.find('\n') == std::string::npos) {
    std::array<char, 4096> buffer{};
    const ssize_t size =
        WaitReadable(from_role_) ? read(from_role_.get(), buffer.data(), buffer.size()) : 0;
    if (size <= 0) return "(nothing)";
    unread_.append(buffer.data(), static_cast<size_t>(size));
  }
  const size_t end = unread_.find('\n');
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

void Process::Tell(const std::string& line) {
  const std::string text = line + "\n";
  if (write(to_role_.get(), text.data(), text.size()) < 0) std::abort();
}

void Process::Kill(int signal) { kill(pid_, signal); }

int Process::Wait() {
  int status = 0;
  if (!WaitReadable(process_)) return -1;
  waitpid(pid_, &status, 0);
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Reaper::~Reaper() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::vector<std::string> SocketsOf(pid_t pid) {
  std::vector<std::string> sockets;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    std::string target = std::filesystem::read_symlink(entry, error);
    if (target.starts_with("socket:")) sockets.push_back(std::move(target));
  }
  return sockets;
}

size_t CountDescriptorsOf(pid_t pid) {
  const std::filesystem::directory_iterator entries("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

}  // namespace lwmsg::test
