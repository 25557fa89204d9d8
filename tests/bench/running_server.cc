#include "running_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <thread>

extern char** environ;  // NOLINT(readability-redundant-declaration): environ(7).

namespace bench {

namespace {

double Seconds(clockid_t clock) {
  timespec time;
  Check(clock_gettime(clock, &time) == 0, "clock_gettime");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void StartThread(const Contender& contender, const std::string& endpoint) {
  std::promise<void> ready;
  std::thread([&ready, serve = contender.serve, endpoint] {
    serve(endpoint, [&ready] { ready.set_value(); });
  }).detach();
  ready.get_future().wait();
}

}  // namespace

RunningServer::RunningServer(const Contender& contender) : endpoint_("bench.sock") {
  switch (contender.meeting) {
    case Meeting::kSocketFile:
      StartProcess(contender, endpoint_);
      break;
    case Meeting::kOneProcess:
      StartThread(contender, endpoint_);
      break;
    case Meeting::kPair: {
      int ends[2];
      Check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
      endpoint_ = std::to_string(ends[0]);
      StartProcess(contender, std::to_string(ends[1]));
      close(ends[1]);
    }
  }
}

RunningServer::~RunningServer() {
  if (process_ == 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

void RunningServer::StartProcess(const Contender& contender, const std::string& server_endpoint) {
  const int ready = StartAgain({"serve", contender.name, server_endpoint}, process_);
  char byte;
  Check(read(ready, &byte, 1) == 1, "the server did not start");
  close(ready);
}

double RunningServer::CpuSeconds() const {
  double seconds = bench::CpuSeconds();
  if (process_ == 0) return seconds;
  clockid_t clock;
  Check(clock_getcpuclockid(process_, &clock) == 0, "the server has ended");
  return seconds + Seconds(clock);
}

double RunningServer::PrivateKib() const {
  std::ifstream rollup("/proc/" + std::to_string(process_) + "/smaps_rollup");
  std::string word;
  while (rollup >> word) {
    double kib = 0;
    if (word == "Private_Dirty:" && rollup >> kib) return kib;
  }
  Die("smaps_rollup has no Private_Dirty");
}

double CpuSeconds() { return Seconds(CLOCK_PROCESS_CPUTIME_ID); }

void ServeAll(const Contender& contender, const std::string& endpoint) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  contender.serve(endpoint, [] { Check(write(STDOUT_FILENO, "r", 1) == 1, "write"); });
  // A pair has no more to serve once its other end has gone.
  _exit(0);
}

int StartAgain(const std::vector<std::string>& arguments, pid_t& process) {
  int ends[2];
  Check(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> argv = {program_invocation_name};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const int error =
      posix_spawn(&process, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  Check(error == 0, "posix_spawn");
  close(ends[1]);
  return ends[0];
}

}  // namespace bench
