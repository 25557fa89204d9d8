#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "tests/reliability/child.h"
#include "tests/reliability/figures.h"
#include "tests/reliability/load.h"
#include "tests/reliability/measures.h"
#include "tests/reliability/raw.h"
#include "tests/reliability/server.h"
#include "tests/support/inventory.h"

// Connections: many at a time, many one after the other, and those that only take places.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kProcesses = 3;

// Connects `count` times, calls on each, says how many were answered; and again when it is told.
void HoldConnections(const std::string& endpoint, size_t count, const Talk& talk) {
  std::vector<OsHandle> sockets;
  size_t answered = 0;
  for (size_t i = 0; i < count; ++i) {
    sockets.push_back(ConnectRaw(endpoint));
    if (!sockets.back().valid() || !GreetAndCall(sockets.back())) break;
    ++answered;
  }
  talk.Say(std::to_string(answered));
  talk.Hear();
  answered = 0;
  for (const OsHandle& socket : sockets) {
    if (Send(socket, CountFrame(2))) ++answered;
  }
  for (const OsHandle& socket : sockets) {
    FrameSource source(socket);
    if (!source.NextReply()) --answered;
  }
  talk.Say(std::to_string(answered));
  talk.Hear();
}

size_t HearNumber(const Talk& talk) {
  const std::string line = talk.Hear(seconds(300));
  return line.empty() ? 0 : std::stoul(line);
}

// Each with a new connection.
size_t CallAndGo(const std::string& endpoint, size_t count) {
  size_t failed = 0;
  for (size_t i = 0; i < count; ++i) {
    BlockingClient client(endpoint);
    if (!reliability::WorkClient(client).Count().Sync()) ++failed;
  }
  return failed;
}

}  // namespace

void MeasureLiveConnections(Report& report, size_t size) {
  // A server leaves a quarter of its descriptors free, and each association has two.
  const size_t most = MostDescriptors() / 4 * 3 / 2;
  const size_t wanted = std::min(size, most);
  const TemporaryFolder folder;
  ServerConfig config;
  config.limits.max_associations = static_cast<uint32_t>(size);
  ServerProcess server(folder.Endpoint(), config);
  CallAndGo(folder.Endpoint(), 10);
  Await([&] { return server.shown().ends == 10; });
  const size_t descriptors = Descriptors(server.pid());
  const size_t kib = ResidentKib(server.pid());
  std::vector<std::unique_ptr<Child>> clients;
  for (size_t i = 0; i < kProcesses; ++i) {
    const size_t count = wanted * (i + 1) / kProcesses - wanted * i / kProcesses;
    clients.push_back(std::make_unique<Child>(
        [&](const Talk& talk) { HoldConnections(folder.Endpoint(), count, talk); }));
  }
  size_t connected = 0;
  for (const auto& client : clients) connected += HearNumber(client->talk());
  const size_t processes = ProcessDescriptors(server.pid());
  report.Count(std::to_string(connected) + " connections, " + std::to_string(processes) +
                   " with a descriptor of their process",
               wanted == size ? "all"
                              : std::to_string(wanted) + ", as RLIMIT_NOFILE of " +
                                    std::to_string(MostDescriptors()) + " allows no more",
               connected == wanted && processes >= wanted);
  for (const auto& client : clients) client->talk().Say("sweep");
  size_t answered = 0;
  for (const auto& client : clients) answered += HearNumber(client->talk());
  report.Count(std::to_string(answered) + " answered in a sweep", std::to_string(connected),
               answered == connected);
  const double each = static_cast<double>(ResidentKib(server.pid()) - kib) /
                      static_cast<double>(std::max<size_t>(connected, 1));
  report.Count(Text(each) + " KiB of memory each", "at most 8", each <= 8);
  clients.clear();
  const bool back = Await([&] { return Descriptors(server.pid()) <= descriptors; });
  report.Count(back ? "no descriptor is left" : "descriptors are left", "none", back);
}

void MeasureChurn(Report& report, size_t size) {
  const TemporaryFolder folder;
  ServerProcess server(folder.Endpoint());
  std::vector<std::unique_ptr<Child>> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(std::make_unique<Child>([&](const Talk& talk) {
      CallAndGo(folder.Endpoint(), 1000);
      talk.Say("warm");
      talk.Hear();
      talk.Say(std::to_string(CallAndGo(folder.Endpoint(), size / 2)));
    }));
  }
  for (const auto& client : clients) client->talk().Hear();
  // What the last ones were is closed a moment later.
  size_t descriptors = 0;
  Await([&] { return server.shown().ends == 2000; });
  Await([&] {
    const size_t before = std::exchange(descriptors, Descriptors(server.pid()));
    return before == descriptors;
  });
  const size_t kib = ResidentKib(server.pid());
  for (const auto& client : clients) client->talk().Say("go");
  size_t failed = 0;
  for (const auto& client : clients) {
    const std::string line = client->talk().Hear(seconds(1200));
    failed += line.empty() ? size : std::stoul(line);
  }
  report.Count(std::to_string(failed) + " failed", "0", failed == 0);
  Await([&] { return Descriptors(server.pid()) <= descriptors; });
  const size_t left = Descriptors(server.pid());
  report.Count(std::to_string(static_cast<int64_t>(left) - static_cast<int64_t>(descriptors)) +
                   " descriptors more than before",
               "0", left == descriptors);
  const int64_t drift = static_cast<int64_t>(ResidentKib(server.pid())) - static_cast<int64_t>(kib);
  report.Count(std::to_string(drift) + " KiB of memory more than before", "at most 1024",
               drift <= 1024);
}

void MeasureIdleEviction(Report& report, size_t size) {
  constexpr milliseconds kIdle{200};
  const TemporaryFolder folder;
  ServerConfig config;
  config.limits.max_associations = static_cast<uint32_t>(size);
  config.limits.max_user_associations = static_cast<uint32_t>(size);
  config.limits.idle_timeout = kIdle;
  const ServerProcess server(folder.Endpoint(), config);
  // Of the server's user, as others could not take all.
  const Child crowd([&](const Talk& talk) { HoldConnections(folder.Endpoint(), size, talk); });
  const size_t taken = HearNumber(crowd.talk());
  report.Count(std::to_string(taken) + " places taken", "all", taken == size);
  const Child other(
      [&](const Talk& talk) {
        const auto begin = std::chrono::steady_clock::now();
        const size_t failed = CallAndGo(folder.Endpoint(), 1);
        talk.Say(failed == 0 ? Text(MillisecondsSince(begin)) : "");
      },
      User(kVictim));
  const std::string time = other.talk().Hear(seconds(20));
  report.Count(time.empty() ? "another user stays out" : "another user gets in", "that",
               !time.empty());
  if (time.empty()) return;
  report.Time(time + " ms until it is served", "at most 300, with an idle timeout of 200",
              std::stod(time) <= 300);
}

}  // namespace lwmsg::test
