#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/reliability/child.h"
#include "tests/reliability/figures.h"
#include "tests/reliability/load.h"
#include "tests/reliability/measures.h"
#include "tests/reliability/raw.h"
#include "tests/reliability/server.h"
#include "tests/support/inventory.h"

// Peers that stop reading, stop altogether, or die.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Of each user; fewer than Limits::max_user_associations.
constexpr size_t kOfOneUser = 100;

// A connection that has asked for more than its socket holds.
OsHandle AskForMuch(const std::string& endpoint) {
  OsHandle socket = ConnectRaw(endpoint);
  if (!socket.valid()) return socket;
  std::string frames = HelloFrame();
  for (uint32_t id = 1; id <= 8; ++id) frames += WorkBlobFrame(id, 100'000);
  Send(socket, frames);
  return socket;
}

// A process with connections that never read.
std::unique_ptr<Child> NeverRead(const std::string& endpoint, size_t count, uid_t user) {
  auto child = std::make_unique<Child>(
      [&](const Talk& talk) {
        std::vector<OsHandle> sockets;
        while (sockets.size() < count) sockets.push_back(AskForMuch(endpoint));
        talk.Say("asked");
        talk.Hear(seconds(1200));
      },
      User(user));
  child->talk().Hear();
  return child;
}

// A process with a client that is stopped with its replies unread.
std::unique_ptr<Child> Stopped(const std::string& endpoint) {
  auto child = std::make_unique<Child>(
      [&](const Talk& talk) {
        const OsHandle socket = AskForMuch(endpoint);
        talk.Say("asked");
        talk.Hear(seconds(1200));
      },
      User(kAttacker));
  child->talk().Hear();
  child->Signal(SIGSTOP);
  return child;
}

// Where the scheduler puts the processes of a call makes three times the difference of what is
// measured.
class OnOneProcessor {
 public:
  OnOneProcessor() {
    sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
  }
  OnOneProcessor(const OnOneProcessor&) = delete;
  OnOneProcessor& operator=(const OnOneProcessor&) = delete;
  ~OnOneProcessor() { sched_setaffinity(0, sizeof(before_), &before_); }

 private:
  cpu_set_t before_{};
};

struct BesideSlowReaders {
  uint64_t failed;  // Calls of the healthy.
  double rate;      // Calls a second, 1: as many as alone.
  double p99;       // 1: as alone.
  double p99_us;
};

BesideSlowReaders CallBesideSlowReaders(milliseconds time) {
  constexpr size_t kReadNothing = 500;
  constexpr size_t kStopped = 100;
  const TemporaryFolder folder;
  ServerProcess server(folder.Endpoint());
  CallAsVictim(folder.Endpoint(), milliseconds(200));
  const Load before = CallAsVictim(folder.Endpoint(), time);
  std::vector<std::unique_ptr<Child>> slow;
  for (size_t i = 0; i < kReadNothing / kOfOneUser; ++i) {
    slow.push_back(NeverRead(folder.Endpoint(), kOfOneUser, kCrowd + static_cast<uid_t>(i)));
  }
  for (size_t i = 0; i < kStopped; ++i) slow.push_back(Stopped(folder.Endpoint()));
  // Until the server has answered as much as their sockets take.
  CallAsVictim(folder.Endpoint(), milliseconds(1000));
  const Load beside = CallAsVictim(folder.Endpoint(), time);
  slow.clear();
  Await([&] { return server.shown().ends >= kReadNothing + kStopped; });
  const Load after = CallAsVictim(folder.Endpoint(), time);
  return {before.failed + beside.failed + after.failed,
          beside.rate() / std::max(1.0, (before.rate() + after.rate()) / 2),
          beside.p99_us / std::max(1.0, (before.p99_us + after.p99_us) / 2), beside.p99_us};
}

}  // namespace

void MeasureSlowReaders(Report& report, size_t size) {
  const OnOneProcessor pinned;
  std::array<BesideSlowReaders, 3> rounds{};
  uint64_t failed = 0;
  for (BesideSlowReaders& round : rounds) {
    round = CallBesideSlowReaders(milliseconds(size) / rounds.size());
    failed += round.failed;
  }
  std::ranges::sort(rounds, {}, &BesideSlowReaders::rate);
  const BesideSlowReaders& median = rounds[rounds.size() / 2];
  report.Count(std::to_string(failed) + " calls of the healthy failed", "0", failed == 0);
  report.Time(Text(100 * median.rate) + " % of the calls a second that there are alone",
              "at least 90 %", median.rate >= 0.9);
  report.Time("p99 is " + Text(median.p99) + " times that alone (" + Text(median.p99_us) + " us)",
              "at most 5", median.p99 <= 5);
}

void MeasurePeerDeath(Report& report, size_t size) {
  const TemporaryFolder folder;
  const ServerProcess server(folder.Endpoint());
  std::vector<double> times;
  size_t unseen = 0;
  for (size_t i = 0; i < size; ++i) {
    const uint64_t ends = server.shown().ends;
    Child client([&](const Talk& talk) {
      const OsHandle socket = ConnectRaw(folder.Endpoint());
      talk.Say(GreetAndCall(socket) ? "in" : "out");
      talk.Hear();
    });
    if (client.talk().Hear() != "in") return report.Count("no connection", "one", false);
    const auto killed = std::chrono::steady_clock::now();
    client.End();
    if (!Await([&] { return server.shown().ends != ends; })) {
      ++unseen;
      continue;
    }
    const std::chrono::steady_clock::time_point seen{
        std::chrono::nanoseconds(server.shown().last_end_ns)};
    times.push_back(std::chrono::duration<double, std::milli>(seen - killed).count());
  }
  report.Count(std::to_string(unseen) + " never seen", "0", unseen == 0);
  const double p99 = P99(times);
  report.Time("p99 of the time until it is seen is " + Text(p99) + " ms", "at most 50", p99 <= 50);
}

}  // namespace lwmsg::test
