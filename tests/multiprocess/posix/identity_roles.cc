#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

#include "lwmsg/lwmsg.h"
#include "runtime/uv_loop.h"
#include "tests/multiprocess/orders.h"
#include "tests/multiprocess/posix/roles.h"
#include "tests/support/sample_service.h"

// Servers in surroundings of their own, processes that are after others, and those that want a
// name.
namespace lwmsg::test {
namespace {

// pidfd_getfd(2), which Debian 12's libc does not have.
std::string TakeStandardInputOf(pid_t pid) {
  const OsHandle process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const OsHandle taken(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), STDIN_FILENO, 0)));
  return taken.valid() ? "took it" : std::strerror(errno);
}

}  // namespace

int Steal(const Arguments& arguments) {
  const std::string harden = "harden=" + Value(arguments, "harden");
  const pid_t victim = fork();
  if (victim == 0) {
    // Not by its path: this user may not reach the build folder. What changed its user is not
    // dumpable until it starts a program.
    const OsHandle null = OpenNull();
    dup2(null.get(), STDIN_FILENO);
    execl("/proc/self/exe", "victim", "--role=lie-in-wait", harden.c_str(), nullptr);
    _exit(1);
  }
  std::string order;
  std::getline(std::cin, order);
  Say(TakeStandardInputOf(victim));
  return 0;
}

int LieInWait(const Arguments& arguments) {
  Harden(arguments);
  Say("ready");
  while (true) pause();
}

int ServeInUserNamespace(const Arguments& arguments) {
  if (unshare(CLONE_NEWUSER) != 0) return Say(std::strerror(errno)), 1;
  std::ofstream("/proc/self/uid_map") << "0 0 1";
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/gid_map") << "0 0 1";
  return Serve(arguments);
}

int ServeInPidNamespace(const Arguments& arguments) {
  if (unshare(CLONE_NEWPID) != 0) return Say(std::strerror(errno)), 1;
  const pid_t first = fork();  // Only its children are in it.
  if (first == 0) {
    DieWithParent();
    return Serve(arguments);
  }
  int status = 1;
  waitpid(first, &status, 0);
  return status == 0 ? 0 : 1;
}

int ServeWithoutProc(const Arguments& arguments) {
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      umount2("/proc", MNT_DETACH) != 0) {
    return Say(std::strerror(errno)), 1;
  }
  return Serve(arguments);
}

int Contend(const Arguments& arguments) {
  Loop loop;
  SampleService service;
  Server server(loop);
  if (!server.Serve(service).ok()) return 1;
  loop.impl().Hold();  // Also while it has no name.
  Say("ready");
  Orders orders(loop, [&](const std::string& line) {
    if (line == "leave") {
      server.Stop();
      return Say("left");
    }
    const Status status = server.Listen(Value(arguments, "endpoint"));
    Say(status.ok() ? "mine" : status.ToString());
  });
  loop.Run();
  return 0;
}

}  // namespace lwmsg::test
