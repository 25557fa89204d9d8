#include <reliability.lwmsg.h>
#include <sched.h>
#include <uv.h>

#include <array>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "runtime/uv_loop.h"
#include "tests/reliability/child.h"
#include "tests/reliability/figures.h"
#include "tests/reliability/load.h"
#include "tests/reliability/measures.h"
#include "tests/reliability/server.h"
#include "tests/support/inventory.h"

// Calls: each once and in order, and each user's share of the service.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// Calls with the numbers 1, 2, 3..., so many under way at a time.
class NumberedCalls {
 public:
  NumberedCalls(const Channel& channel, uint32_t client, size_t under_way)
      : work_(channel), client_(client), under_way_(under_way) {}

  // Goes on until there were `count` in all; `done` runs when each has been answered.
  void Run(uint64_t count, std::function<void()> done) {
    count_ = count;
    done_ = std::move(done);
    for (size_t i = 0; i < under_way_; ++i) CallNext();
  }
  uint64_t answered() const { return answered_; }
  // "answered failed disordered strange"
  std::string ToLine() const {
    std::ostringstream line;
    line << answered_ << ' ' << failed_ << ' ' << disordered_ << ' ' << strange_;
    return line.str();
  }

 private:
  void CallNext() {
    if (sent_ == count_) return;
    const uint64_t number = ++sent_;
    auto count = work_.Count();
    count->setClient(client_);
    count->setNumber(number);
    count.Send([this, number](auto reply) {
      ++answered_;
      if (!reply) {
        ++failed_;
        count_ = sent_;  // No more of them.
      } else {
        // The one that was sent, and as many before it.
        if (reply->getNumber() != number || answered_ != number) ++disordered_;
        strange_ = reply->getStrange();
      }
      CallNext();
      if (answered_ == count_ && done_) done_();
    });
  }

  reliability::WorkClient work_;
  const uint32_t client_;
  const size_t under_way_;
  uint64_t count_ = 0;
  std::function<void()> done_;
  uint64_t sent_ = 0;
  uint64_t answered_ = 0;
  uint64_t failed_ = 0;
  uint64_t disordered_ = 0;
  uint64_t strange_ = 0;
};

constexpr uint64_t kForEver = ~uint64_t{0};

// With so many connections and calls on each, as fast as they are answered, when it is told to.
// Says how many were in that time.
void CallALot(const std::string& endpoint, size_t connections, size_t calls, milliseconds time,
              const Talk& talk) {
  Loop loop;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::unique_ptr<NumberedCalls>> numbered;
  const auto answered = [&] {
    uint64_t sum = 0;
    for (const auto& each : numbered) sum += each->answered();
    return sum;
  };
  for (size_t i = 0; i < connections; ++i) {
    clients.push_back(std::make_unique<Client>(loop, endpoint));
    numbered.push_back(std::make_unique<NumberedCalls>(*clients.back(), 0, calls));
    numbered.back()->Run(kForEver, {});
  }
  // All of them are connected before it counts.
  const auto run_for = [&loop](milliseconds duration) {
    Timer end(loop.impl(), [&loop] { loop.Stop(); });
    end.ArmAfter(duration);
    loop.Run();
  };
  run_for(milliseconds(300));
  talk.Say("ready");
  talk.Hear();
  const uint64_t before = answered();
  run_for(time);
  talk.Say(std::to_string(answered() - before));
  clients.clear();
}

}  // namespace

void MeasureSoak(Report& report, size_t size) {
  constexpr uint32_t kClients = 2;
  const TemporaryFolder folder;
  const ServerProcess server(folder.Endpoint());
  const auto begin = steady_clock::now();
  std::vector<std::unique_ptr<Child>> clients;
  const uint64_t each = size / kClients;
  for (uint32_t i = 1; i <= kClients; ++i) {
    clients.push_back(std::make_unique<Child>([&folder, i, each](const Talk& talk) {
      Loop loop;
      Client client(loop, folder.Endpoint());
      NumberedCalls calls(client, i, 64);
      calls.Run(each, [&loop] { loop.Stop(); });
      loop.Run();
      talk.Say(calls.ToLine());
    }));
  }
  uint64_t lost = 0;
  uint64_t failed = 0;
  uint64_t disordered = 0;
  uint64_t strange = 0;
  for (const auto& client : clients) {
    std::istringstream words(client->talk().Hear(seconds(1200)));
    std::array<uint64_t, 4> numbers{};
    for (uint64_t& number : numbers) words >> number;
    lost += each - numbers[0];
    failed += numbers[1];
    disordered += numbers[2];
    strange += numbers[3];
  }
  const double rate = static_cast<double>(size) / MillisecondsSince(begin) * 1000;
  report.Count(std::to_string(lost) + " lost, " + std::to_string(failed) + " failed, " +
                   std::to_string(disordered) + " answered out of order, " +
                   std::to_string(strange) + " executed twice or out of order (" + Text(rate) +
                   " calls a second)",
               "none", lost == 0 && failed == 0 && disordered == 0 && strange == 0);
}

void MeasureFairness(Report& report, size_t size) {
  if (!CanBecomeOthers()) return report.Skip("needs root, to be two users");
  constexpr milliseconds kTime{3000};
  const TemporaryFolder folder;
  const ServerProcess server(folder.Endpoint());
  const Child attacker(
      [&](const Talk& talk) { CallALot(folder.Endpoint(), size, 16, kTime, talk); },
      User(kAttacker));
  const Child victim([&](const Talk& talk) { CallALot(folder.Endpoint(), 1, 120, kTime, talk); },
                     User(kVictim));
  attacker.talk().Hear();
  victim.talk().Hear();
  attacker.talk().Say("go");
  victim.talk().Say("go");
  const std::string taken = attacker.talk().Hear();
  const std::string got = victim.talk().Hear();
  if (taken.empty() || got.empty()) return report.Count("no answer", "answers", false);
  const double all = std::stod(taken) + std::stod(got);
  const double share = all == 0 ? 0 : 100 * std::stod(got) / all;
  report.Time(Text(share) + " % of " + Text(all) + " calls are the victim's", "at least 45 %",
              share >= 45);
}

void MeasureDeadlines(Report& report, size_t size) {
  constexpr milliseconds kTimeout{20};
  const TemporaryFolder folder;
  const ServerProcess server(folder.Endpoint());
  BlockingClient client(folder.Endpoint());
  reliability::WorkClient work(client);
  std::vector<double> late;
  size_t other = 0;
  for (size_t i = 0; i < size; ++i) {
    auto keep = work.Keep();
    keep.set_timeout(kTimeout);
    const auto begin = steady_clock::now();
    const auto reply = keep.Sync();
    if (reply || reply.error().code() != StatusCode::kDeadlineExceeded) ++other;
    late.push_back(MillisecondsSince(begin) - static_cast<double>(kTimeout.count()));
  }
  report.Count(std::to_string(other) + " ended otherwise", "0", other == 0);
  const double p99 = P99(late);
  report.Time("p99 is " + Text(p99) + " ms after the deadline", "at most 10", p99 <= 10);
}

}  // namespace lwmsg::test
