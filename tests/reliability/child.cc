#include "tests/reliability/child.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace lwmsg::test {
namespace {

constexpr int kTalk = 3;

// For the child, first of all. `kept` may be any number but kTalk, which is the parent's null file.
void KeepOnly(int talk, int kept) {
  if (talk != kTalk) dup2(talk, kTalk);
  const auto close_from = [](unsigned first, unsigned last) {
    if (first <= last) syscall(SYS_close_range, first, last, 0U);
  };
  if (kept < 0) return close_from(kTalk + 1, ~0U);
  const auto number = static_cast<unsigned>(kept);
  close_from(kTalk + 1, number - 1);
  close_from(number + 1, ~0U);
}

void Become(uid_t user) {
  if (setgroups(0, nullptr) != 0 || setresgid(user, user, user) != 0 ||
      setresuid(user, user, user) != 0) {
    std::perror("become another user");
    _exit(1);
  }
}

}  // namespace

void Talk::Say(const std::string& line) const {
  send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL);
}

std::string Talk::Hear(std::chrono::seconds longest) const {
  std::array<char, 4096> line{};
  pollfd readable{socket_.get(), POLLIN, 0};
  const auto milliseconds = std::chrono::milliseconds(longest).count();
  if (poll(&readable, 1, static_cast<int>(milliseconds)) != 1) return "";
  const ssize_t size = recv(socket_.get(), line.data(), line.size(), 0);
  return size > 0 ? std::string(line.data(), static_cast<size_t>(size)) : "";
}

bool Talk::spoken() const {
  pollfd readable{socket_.get(), POLLIN, 0};
  return poll(&readable, 1, 0) == 1;
}

Child::Child(const std::function<void(const Talk&)>& work, std::optional<uid_t> user, int kept) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
  talk_.emplace(OsHandle(ends[0]));
  OsHandle childs_end(ends[1]);
  fflush(stdout);
  pid_ = fork();
  if (pid_ < 0) std::abort();
  if (pid_ != 0) return;
  KeepOnly(childs_end.get(), kept);
  if (user) Become(*user);
  // Forgotten when the user changes.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent's handles, and its end of the talk, have gone with their numbers: nothing of the
  // parent is destroyed here.
  work(Talk(OsHandle(kTalk)));
  fflush(stdout);
  _exit(0);
}

Child::~Child() { End(); }

void Child::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

bool Child::alive() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
  return pid_ > 0;
}

void Child::End() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

bool CanBecomeOthers() { return geteuid() == 0; }

std::optional<uid_t> User(uid_t user) {
  return CanBecomeOthers() ? std::optional(user) : std::nullopt;
}

}  // namespace lwmsg::test
