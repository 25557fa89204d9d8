#include "tests/faults/roles.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

#include "runtime/closer.h"
#include "runtime/uv_loop.h"
#include "tests/support/sample_service.h"

namespace faults {
namespace {

size_t CountIn(const std::string& folder) {
  size_t count = 0;
  DIR* const all = opendir(folder.c_str());
  if (all == nullptr) return 0;
  while (readdir(all) != nullptr) ++count;
  closedir(all);
  return count;
}

bool IsReadable(const lwmsg::OsHandle& file) {
  pollfd one{file.get(), POLLIN, 0};
  return poll(&one, 1, static_cast<int>(kLimit.count())) == 1;
}

// Descriptors that are there now and were not at `before`.
int CheckDescriptors(size_t before, Report& report) {
  lwmsg::internal::FinishClosing();
  const size_t after = CountIn("/proc/self/fd");
  if (after == before) return kFine;
  report.Wrong("descriptors: " + std::to_string(before) + " before, " + std::to_string(after) +
               " after");
  return kLeaks;
}

// Serves until it is told to end.
int ServeOn(lwmsg::Loop& loop, const lwmsg::OsHandle& control, const std::string& endpoint,
            Report& report) {
  lwmsg::test::SampleService service;
  service.on_block = [](lwmsg::test::SampleService::BlockCall call) { call.Reply(); };
  lwmsg::Server server(loop, {.threads = 1});
  lwmsg::Status status = server.Serve(service);
  if (status.ok()) status = server.Listen(endpoint, {.group = std::to_string(getegid())});
  if (!status.ok()) {
    report.Say(status.message());
    return kRefused;
  }
  std::optional<Exempt> exempt(std::in_place);
  auto pool = lwmsg::SharedMemoryPool::Create(lwmsg::test::SampleService::kPlaceBytes, 2);
  if (!pool) std::abort();
  service.pool = std::move(*pool);
  const auto on_order = [&](lwmsg::internal::IoLoop::Ready) {
    const Exempt inside;
    char order = 0;
    if (read(control.get(), &order, 1) == 1 && order == 'd') {
      Disarm();
      // Calls know their callers, and so have descriptors.
      service.kept.clear();
      service.watching.clear();
      service.hurried.clear();
      static_cast<void>(write(control.get(), "d", 1));
      return;
    }
    Disarm();
    loop.Stop();
  };
  auto watch = loop.impl().MakeWatch(control.get(), on_order);
  if (!watch) std::abort();
  (*watch)->Want({true, false});
  if (write(control.get(), "r", 1) != 1) std::abort();
  exempt.reset();
  loop.Run();
  return kFine;
}

int Serve(const lwmsg::OsHandle& control, const std::string& endpoint, const Plan& plan,
          Report& report) {
  const size_t before = CountIn("/proc/self/fd");
  int code = kFine;
  Arm(plan, report.seen);
  try {
    lwmsg::Loop loop;
    loop.SetBusyWait(std::chrono::microseconds(0));
    code = ServeOn(loop, control, endpoint, report);
  } catch (const std::bad_alloc&) {
    code = kRefused;
  } catch (const std::runtime_error& error) {
    report.Say(error.what());
    code = kRefused;
  }
  Disarm();
  const int left = CheckDescriptors(before, report);
  return left != kFine ? left : code;
}

}  // namespace

Child::Child(const std::function<int()>& role) {
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    int code = kUncaught;
    try {
      code = role();
    } catch (const std::exception& error) {
      fprintf(stderr, "a role threw: %s\n", error.what());
    }
    _exit(code);
  }
  process_ = lwmsg::OsHandle(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
}

Child::~Child() {
  if (status_) return;
  Kill();
  waitpid(pid_, nullptr, 0);
}

std::optional<int> Child::Wait() {
  if (!status_ && IsReadable(process_)) {
    int status = 0;
    waitpid(pid_, &status, 0);
    status_ = status;
  }
  return status_;
}

bool Child::ended() {
  int status = 0;
  if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_.has_value();
}

void Child::Kill() const { kill(pid_, SIGKILL); }

size_t Child::CountDescriptors() const { return CountIn("/proc/" + std::to_string(pid_) + "/fd"); }

ServerProcess::ServerProcess(const std::string& endpoint, const Plan& plan, Report& report) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::runtime_error("cannot make a socket pair");
  }
  control_ = lwmsg::OsHandle(ends[0]);
  const lwmsg::OsHandle theirs(ends[1]);
  child_.emplace([&] {
    control_.Close();
    return Serve(theirs, endpoint, plan, report);
  });
}

bool ServerProcess::Tell(char what) const {
  return send(control_.get(), &what, 1, MSG_NOSIGNAL) == 1;
}

bool ServerProcess::Hear() const {
  char what = 0;
  return IsReadable(control_) && read(control_.get(), &what, 1) == 1;
}

int BeClient(const ClientRole& role, const Plan& plan, Report& report) {
  const size_t before = CountIn("/proc/self/fd");
  Arm(plan, report.seen);
  role(report);
  Disarm();
  if (report.started != report.ended) report.Wrong("not every call ended");
  return CheckDescriptors(before, report);
}

}  // namespace faults
