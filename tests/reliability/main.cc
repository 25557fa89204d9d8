// Measures how lwmsg does under load and attack, a line for each figure: README.md.
//   lwmsg_reliability [--short | --long] [GOAL...]
// Ends with 1 if something was missed.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/reliability/measures.h"

namespace lwmsg::test {
namespace {

struct Measure {
  const char* goal;
  void (*run)(Report& report, size_t size);
  const char* unit;
  size_t goal_size;
  // For kShort, kNormal and kLong.
  std::array<size_t, 3> sizes;
};

constexpr Measure kMeasures[] = {
    {"live-connections", MeasureLiveConnections, "connections", 9000, {900, 9000, 9000}},
    {"churn", MeasureChurn, "connections", 1'000'000, {4000, 1'000'000, 3'000'000}},
    {"soak", MeasureSoak, "calls", 10'000'000, {200'000, 10'000'000, 50'000'000}},
    {"descriptor-flood",
     MeasureDescriptorFlood,
     "descriptors",
     1'000'000,
     {20'000, 1'000'000, 3'000'000}},
    {"memory-half-sent", MeasureHalfSentFlood, "ms", 10'000, {1000, 10'000, 60'000}},
    {"memory-kept-calls", MeasureKeptCallsFlood, "ms", 10'000, {1000, 10'000, 60'000}},
    {"memory-unread-replies", MeasureUnreadRepliesFlood, "ms", 10'000, {1000, 10'000, 60'000}},
    {"memory-one-way", MeasureOneWayFlood, "ms", 10'000, {1000, 10'000, 60'000}},
    {"slow-readers", MeasureSlowReaders, "ms of calls", 5000, {500, 5000, 20'000}},
    {"fairness", MeasureFairness, "connections of the attacker", 100, {100, 100, 100}},
    {"pid-reuse", MeasurePidReuse, "numbers", 100, {5, 100, 1000}},
    {"start-races", MeasureStartRaces, "races", 2000, {50, 2000, 10'000}},
    {"kills", MeasureKills, "restarts", 1000, {30, 1000, 5000}},
    {"handovers", MeasureHandovers, "restarts", 1000, {30, 1000, 5000}},
    {"peer-death", MeasurePeerDeath, "deaths", 1000, {50, 1000, 10'000}},
    {"deadlines", MeasureDeadlines, "calls", 500, {50, 500, 5000}},
    {"idle-eviction", MeasureIdleEviction, "places", 64, {64, 64, 64}},
};

void Prepare() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  // So that 3 is taken: a child has something else there.
  if (fcntl(3, F_GETFD) < 0) static_cast<void>(dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 3));
}

int Run(Effort effort, const std::vector<std::string>& goals) {
  Report report(effort);
  for (const Measure& measure : kMeasures) {
    const bool wanted =
        goals.empty() || std::find(goals.begin(), goals.end(), measure.goal) != goals.end();
    if (!wanted) continue;
    const size_t size = measure.sizes.at(static_cast<size_t>(effort));
    report.Begin(measure.goal, size, measure.goal_size, measure.unit);
    measure.run(report, size);
  }
  return report.missed() ? 1 : 0;
}

int Usage() {
  std::fprintf(stderr, "usage: lwmsg_reliability [--short | --long] [GOAL...]\ngoals:\n");
  for (const Measure& measure : kMeasures) std::fprintf(stderr, "  %s\n", measure.goal);
  return 2;
}

}  // namespace
}  // namespace lwmsg::test

int main(int argc, char** argv) {
  using namespace lwmsg::test;
  Effort effort = Effort::kNormal;
  std::vector<std::string> goals;
  for (const std::string& argument : std::vector<std::string>(argv + 1, argv + argc)) {
    const auto names = [&](const Measure& measure) { return argument == measure.goal; };
    if (argument == "--short") {
      effort = Effort::kShort;
    } else if (argument == "--long") {
      effort = Effort::kLong;
    } else if (std::any_of(std::begin(kMeasures), std::end(kMeasures), names)) {
      goals.push_back(argument);
    } else {
      return Usage();
    }
  }
  Prepare();
  return Run(effort, goals);
}
