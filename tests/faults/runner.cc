#include "tests/faults/runner.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <new>
#include <stdexcept>
#include <thread>

#include "lwmsg/loop.h"

namespace faults {
namespace {

using Clock = std::chrono::steady_clock;

// For what must be so soon, and a busy machine.
constexpr std::chrono::seconds kSoon{3};

std::string HowItEnded(int status) {
  if (WIFSIGNALED(status)) return "killed by SIG" + std::string(sigabbrev_np(WTERMSIG(status)));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

bool IsFine(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == kFine; }

bool WasKilled(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

std::chrono::microseconds Since(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
}

// Whether the server has so many descriptors soon. Calls that it keeps have some, and what the
// client had sent may bring more of those.
bool BecomesSo(ServerProcess& server, size_t descriptors) {
  const auto begin = Clock::now();
  while (server.EndFaults() && Clock::now() - begin < kSoon) {
    if (server.child().CountDescriptors() == descriptors) return true;
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return false;
}

}  // namespace

void Runner::Unmap::operator()(Shared* shared) const { munmap(shared, sizeof(Shared)); }

Runner::Runner() {
  void* const memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  shared_.reset(new (memory) Shared);
  if (symlink(".", folder_.Path("link").c_str()) != 0) {
    throw std::runtime_error("cannot make a symbolic link");
  }
  const lwmsg::Loop first;  // libuv keeps a pipe for all loops of a process.
}

void Runner::Begin() { new (shared_.get()) Shared; }

std::string Runner::Text(const Report& report) const {
  return std::to_string(report.started) + " calls started, " + std::to_string(report.ended) +
         " ended, " + std::to_string(report.failed) + " with an error" +
         (report.has_text ? ": " + std::string(report.text.data()) : std::string());
}

bool Runner::Judge(const std::string& name, const std::string& wrong) {
  ++totals_.runs;
  if (shared_->server.seen.hits != 0 || shared_->client.seen.hits != 0) ++totals_.struck;
  if (wrong.empty()) return true;
  ++totals_.findings;
  std::printf("FINDING: %s\n  %s\n  client: %s\n  server: %s\n", name.c_str(), wrong.c_str(),
              Text(shared_->client).c_str(), Text(shared_->server).c_str());
  std::fflush(stdout);
  return false;
}

bool Runner::Run(const Case& one) {
  Begin();
  return Judge(one.ToString(), RunCase(one));
}

void Runner::Count(bool in_server, Session session, Seen& seen) {
  const Case clean{.in_server = in_server, .session = session, .plan = {}};
  if (!Run(clean) || shared_->client.failed != 0) {
    throw std::runtime_error("it fails without a fault: " + Text(shared_->client));
  }
  const Seen& now = in_server ? shared_->server.seen : shared_->client.seen;
  for (size_t i = 0; i < kCalls; ++i) seen.calls[i] = now.calls[i].load();
  seen.system_calls = now.system_calls.load();
}

std::string Runner::RunCase(const Case& one) {
  const Plan nothing;
  ServerProcess server(endpoint_, one.in_server ? one.plan : nothing, shared_->server);
  if (!server.WaitReady()) return CheckRefused(one, server);
  const size_t descriptors = server.child().CountDescriptors();
  const auto session = [&](Report& report) { RunSession(one.session, endpoint_, report); };
  Child client(
      [&] { return BeClient(session, one.in_server ? nothing : one.plan, shared_->client); });
  const auto status = client.Wait();
  const auto ended = Clock::now();
  std::string wrong = CheckClient(one, status);
  if (!wrong.empty()) return wrong;
  const bool kills = one.plan.what == What::kKill;
  // It may have been in the middle of what the client left behind.
  if (kills && one.in_server && (shared_->server.seen.hits != 0 || !server.EndFaults())) {
    const auto end = server.child().Wait();
    if (!end || !WasKilled(*end)) return "the server was not killed";
    return CheckRestart(ended);
  }
  wrong = CheckServer(server, descriptors);
  if (kills && !one.in_server) totals_.recoveries.push_back(Since(ended));
  return wrong;
}

std::string Runner::CheckRefused(const Case& one, ServerProcess& server) {
  const auto status = server.child().Wait();
  if (!status) return "the server says nothing";
  if (one.in_server && one.plan.what == What::kKill && WasKilled(*status)) return {};
  const bool said = WIFEXITED(*status) && WEXITSTATUS(*status) == kRefused;
  if (said && shared_->server.seen.hits != 0) {
    ++totals_.refused;
    return {};
  }
  return "the server did not begin: " + HowItEnded(*status);
}

std::string Runner::CheckClient(const Case& one, const std::optional<int>& status) const {
  if (!status) return "the client hangs";
  if (one.plan.what == What::kKill && !one.in_server && WasKilled(*status)) return {};
  if (!IsFine(*status)) return "the client: " + HowItEnded(*status);
  if (shared_->client.wrong != 0) return "the client saw what must not be";
  if (one.plan.what == What::kShort && shared_->client.failed != 0) return "other results";
  return {};
}

std::string Runner::CheckServer(ServerProcess& server, size_t descriptors) {
  if (!server.EndFaults()) {
    const auto status = server.child().Wait();
    return "the server does not answer: " + (status ? HowItEnded(*status) : "it hangs");
  }
  if (!BecomesSo(server, descriptors)) {
    return "the server has " + std::to_string(server.child().CountDescriptors()) +
           " descriptors, not " + std::to_string(descriptors);
  }
  if (!ServesNext(endpoint_)) return Text(shared_->next);
  server.Quit();
  const auto status = server.child().Wait();
  if (!status) return "the server does not end";
  return IsFine(*status) ? std::string() : "the server at its end: " + HowItEnded(*status);
}

// In a process of its own: all of them begin with what this one has, and that must stay the same.
bool Runner::ServesNext(const std::string& endpoint) {
  Child next([&] { return IsServed(endpoint, shared_->next) ? kFine : kUncaught; });
  const auto status = next.Wait();
  return status && IsFine(*status);
}

std::string Runner::CheckRestart(Clock::time_point killed) {
  Report& report = shared_->next;
  ServerProcess again(endpoint_, Plan(), report);
  if (!again.WaitReady()) return "no other server can begin: " + Text(report);
  if (!ServesNext(endpoint_)) return Text(report);
  totals_.recoveries.push_back(Since(killed));
  return {};
}

bool Runner::KillServer(std::chrono::microseconds after) {
  Begin();
  const auto wrong = [&]() -> std::string {
    ServerProcess server(endpoint_, Plan(), shared_->server);
    if (!server.WaitReady()) return "the server does not begin";
    const auto calls = [&](Report& report) { CallForEver(endpoint_, report); };
    Child client([&] { return BeClient(calls, Plan(), shared_->client); });
    std::this_thread::sleep_for(after);
    server.child().Kill();
    const auto killed = Clock::now();
    if (!server.child().Wait()) return "the server lives";
    const std::string restart = CheckRestart(killed);
    if (!restart.empty()) return restart;
    return CheckClient({}, client.Wait());
  }();
  return Judge("a server under load is killed after " + std::to_string(after.count()) + " us",
               wrong);
}

bool Runner::KillClient(std::chrono::microseconds after) {
  Begin();
  const auto wrong = [&]() -> std::string {
    if (!lasting_) {
      lasting_ =
          std::make_unique<ServerProcess>(folder_.Endpoint("lasting"), Plan(), shared_->server);
      if (!lasting_->WaitReady()) return "the server does not begin";
      lasting_descriptors_ = lasting_->child().CountDescriptors();
    }
    const auto calls = [&](Report& report) { CallForEver(folder_.Endpoint("lasting"), report); };
    Child client([&] { return BeClient(calls, Plan(), shared_->client); });
    std::this_thread::sleep_for(after);
    client.Kill();
    const auto killed = Clock::now();
    const auto status = client.Wait();
    if (!status || !WasKilled(*status)) return "the client was not killed";
    if (!BecomesSo(*lasting_, lasting_descriptors_)) return "descriptors stay";
    if (!ServesNext(folder_.Endpoint("lasting"))) return Text(shared_->next);
    totals_.recoveries.push_back(Since(killed));
    return {};
  }();
  return Judge("a client under load is killed after " + std::to_string(after.count()) + " us",
               wrong);
}

}  // namespace faults
