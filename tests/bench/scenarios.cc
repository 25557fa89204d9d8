#include "scenarios.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <thread>

#include "running_server.h"

namespace bench {

namespace {

using std::chrono::nanoseconds;

constexpr size_t kKib = 1024;
constexpr size_t kMib = kKib * kKib;
constexpr double kGib = static_cast<double>(kKib) * kMib;

constexpr size_t kFirstCalls = 32;
constexpr size_t kIdleBefore = 64;
constexpr size_t kIdle = 256;
// What several processes may take to start.
constexpr auto kStart = std::chrono::milliseconds(50);

struct Calls {
  Shape shape;
  // Whether what counts is how much gets through rather than how long each takes.
  bool rate = false;
};

const std::map<std::string, Calls>& CallScenarios() {
  static const std::map<std::string, Calls> scenarios = {
      {"S1-32B", {{.bytes = 32}}},
      {"S1-1KiB", {{.bytes = kKib}}},
      {"S1-64KiB", {{.bytes = 64 * kKib}}},
      {"S1-1MiB", {{.bytes = kMib}}},
      {"S2-64", {{.outstanding = 64}, true}},
      {"S2-256", {{.outstanding = 256}, true}},
      {"S3", {{.connections = 64}, true}},
      {"S3-processes", {{.connections = 16, .processes = 4}, true}},
      {"S4-bulk", {{.kind = Kind::kTake, .bytes = kMib, .outstanding = 4}, true}},
      {"S4-shared", {{.kind = Kind::kShare, .bytes = 64 * kMib}, true}},
      {"S5", {{.kind = Kind::kPass}}},
  };
  return scenarios;
}

void Print(const char* figure, double value, const char* unit) {
  printf("%s\t%.6g\t%s\n", figure, value, unit);
}

void PrintTimes(Meter& meter, double cpu_seconds) {
  Print("median", meter.Percentile(50), "us");
  Print("p99", meter.Percentile(99), "us");
  Print("cpu", cpu_seconds / static_cast<double>(meter.answers()) * 1e6, "us");
}

void PrintRate(Meter& meter, const Shape& shape, double cpu_seconds) {
  const double rate = meter.Rate();
  if (shape.kind == Kind::kEcho)
    Print("rate", rate, "calls/s");
  else
    Print("rate", rate * static_cast<double>(shape.bytes) / kGib, "GiB/s");
  Print("cpu", cpu_seconds / static_cast<double>(meter.answers()) * 1e6, "us");
}

// Also of large messages that many come first: until memory of their size stays with the process,
// the kernel makes it anew for each.
void WarmUp(Client& client, const Shape& shape, nanoseconds time, size_t stride) {
  Meter calls = Meter::Of(shape.kind == Kind::kShare ? 1 : kFirstCalls);
  client.Run(calls);
  Meter meter = Meter::During(time, stride);
  client.Run(meter);
}

size_t StrideOf(const Shape& shape) {
  return std::max<size_t>(shape.connections * shape.outstanding / 4, 1);
}

bool MeasureCalls(const Contender& contender, const Calls& calls, nanoseconds time) {
  const RunningServer server(contender);
  const auto client = contender.connect(server.endpoint(), calls.shape);
  if (!client) return false;
  const size_t stride = StrideOf(calls.shape);
  WarmUp(*client, calls.shape, time / 5, stride);
  Meter meter = Meter::During(time, stride);
  const double before = server.CpuSeconds();
  client->Run(meter);
  const double cpu = server.CpuSeconds() - before;
  if (calls.rate)
    PrintRate(meter, calls.shape, cpu);
  else
    PrintTimes(meter, cpu);
  return true;
}

// What a process of several did; no answers: it cannot do that.
struct Part {
  double answers = 0;
  double seconds = 0;
  double cpu_seconds = 0;
};

// The rate is that of all answers in the whole time: of short windows those are few in which others
// had the processor.
bool MeasureProcesses(const Contender& contender, const std::string& scenario, const Calls& calls,
                      nanoseconds time) {
  const RunningServer server(contender);
  const auto start = Meter::Clock::now() + kStart + time / 5;
  std::vector<std::pair<pid_t, int>> processes(calls.shape.processes);
  for (auto& [process, output] : processes)
    output = StartAgain({"part", contender.name, server.endpoint(), scenario,
                         std::to_string(nanoseconds(start.time_since_epoch()).count()),
                         std::to_string(time.count())},
                        process);
  std::this_thread::sleep_until(start);
  double cpu = -server.CpuSeconds();
  double rate = 0;
  double answers = 0;
  bool able = true;
  for (const auto& [process, output] : processes) {
    Part part;
    Check(read(output, &part, sizeof part) == sizeof part, "a client without an end");
    able = able && part.answers != 0;
    rate += part.answers / part.seconds;
    answers += part.answers;
    cpu += part.cpu_seconds;
  }
  cpu += server.CpuSeconds();
  for (const auto& [process, output] : processes) {
    close(output);
    waitpid(process, nullptr, 0);
  }
  if (!able) return false;
  Print("rate", rate, "calls/s");
  Print("cpu", cpu / answers * 1e6, "us");
  return true;
}

bool ConnectAndCall(const Contender& contender, const std::string& endpoint) {
  const auto client = contender.connect(endpoint, Shape());
  if (!client) return false;
  Meter one = Meter::Of(1);
  client->Run(one);
  return true;
}

bool MeasureConnections(const Contender& contender, nanoseconds time) {
  const RunningServer server(contender);
  Meter warm_up = Meter::During(time / 5, 1);
  do {
    if (!ConnectAndCall(contender, server.endpoint())) return false;
  } while (warm_up.Done());
  Meter meter = Meter::During(time, 1);
  const double before = server.CpuSeconds();
  do ConnectAndCall(contender, server.endpoint());
  while (meter.Done());
  PrintTimes(meter, server.CpuSeconds() - before);
  return true;
}

bool MeasureIdleConnections(const Contender& contender) {
  const RunningServer server(contender);
  std::vector<std::unique_ptr<Client>> clients;
  double before = 0;
  while (clients.size() < kIdleBefore + kIdle) {
    if (clients.size() == kIdleBefore) before = server.PrivateKib();
    clients.push_back(contender.connect(server.endpoint(), Shape()));
    if (!clients.back()) return false;
    Meter one = Meter::Of(1);
    clients.back()->Run(one);
  }
  Print("memory", (server.PrivateKib() - before) / kIdle, "KiB");
  return true;
}

bool MeasureStart(const Contender& contender, nanoseconds time) {
  const RunningServer server(contender);
  if (!ConnectAndCall(contender, server.endpoint())) return false;
  Meter meter = Meter::During(time, 1);
  bool more = true;
  while (more) {
    pid_t process;
    const int answered = StartAgain({"first", contender.name, server.endpoint()}, process);
    char byte;
    Check(read(answered, &byte, 1) == 1, "a client without an answer");
    more = meter.Done();
    close(answered);
    waitpid(process, nullptr, 0);
  }
  Print("median", meter.Percentile(50) / 1e3, "ms");
  Print("size", static_cast<double>(std::filesystem::file_size("/proc/self/exe")) / kKib, "KiB");
  return true;
}

}  // namespace

bool Measure(const Contender& contender, const std::string& scenario, nanoseconds time) {
  // Of a pair there is one, and a thread has no exec and no memory of its own.
  const bool alone = contender.meeting != Meeting::kSocketFile;
  if (scenario == "S6")
    return contender.meeting != Meeting::kPair && MeasureConnections(contender, time);
  if (scenario == "S7") return !alone && MeasureIdleConnections(contender);
  if (scenario == "S8") return !alone && MeasureStart(contender, time);
  const auto calls = CallScenarios().find(scenario);
  Check(calls != CallScenarios().end(), "no such scenario");
  if (contender.meeting == Meeting::kPair && calls->second.shape.connections != 1) return false;
  if (calls->second.shape.processes != 1)
    return !alone && MeasureProcesses(contender, scenario, calls->second, time);
  return MeasureCalls(contender, calls->second, time);
}

void CallAsPart(const Contender& contender, const std::string& endpoint,
                const std::string& scenario, Meter::Clock::time_point start, nanoseconds time) {
  const Shape& shape = CallScenarios().at(scenario).shape;
  Part part;
  if (const auto client = contender.connect(endpoint, shape)) {
    WarmUp(*client, shape, start - Meter::Clock::now(), StrideOf(shape));
    Meter meter = Meter::During(time, StrideOf(shape));
    const auto begun = Meter::Clock::now();
    const double cpu = CpuSeconds();
    client->Run(meter);
    part.answers = static_cast<double>(meter.answers());
    part.seconds = std::chrono::duration<double>(Meter::Clock::now() - begun).count();
    part.cpu_seconds = CpuSeconds() - cpu;
  }
  Check(write(STDOUT_FILENO, &part, sizeof part) == sizeof part, "write");
}

void CallOnce(const Contender& contender, const std::string& endpoint) {
  Check(ConnectAndCall(contender, endpoint), "cannot call");
  Check(write(STDOUT_FILENO, "a", 1) == 1, "write");
}

}  // namespace bench
