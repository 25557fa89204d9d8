#include <fcntl.h>

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
#include "tests/support/posix/lingering_sockets.h"

// Descriptors that nobody wants, as fast as they go.
namespace lwmsg::test {
namespace {

using std::chrono::seconds;

constexpr size_t kInAFrame = 16;
constexpr size_t kInAWrite = 253;

// One connection with descriptors in a way that depends on `kind`. Returns how many went.
size_t Attack(const std::string& endpoint, size_t kind, int file) {
  const OsHandle socket = ConnectRaw(endpoint);
  if (!socket.valid() || !Send(socket, HelloFrame())) return 0;
  constexpr int kCalls = 20;
  size_t sent = 0;
  switch (kind % 6) {
    case 0:  // Of no method, which is answered.
      for (uint32_t id = 1; id <= kCalls; ++id) {
        if (SendWith(socket, WorkFrame(id, 999, {}, kInAFrame), file, kInAFrame)) sent += kInAFrame;
      }
      break;
    case 1:  // More than the frame counts.
      if (SendWith(socket, TakeFrame(1, 1), file, kInAFrame)) sent = kInAFrame;
      break;
    case 2:  // With no frame.
      if (SendWith(socket, "no frame at all", file, kInAWrite)) sent = kInAWrite;
      break;
    case 3:  // More than a frame may have.
      if (SendWith(socket, TakeFrame(1, kInAWrite), file, kInAWrite)) sent = kInAWrite;
      break;
    case 4:  // That the handler leaves where they are.
      for (uint32_t id = 1; id <= kCalls; ++id) {
        if (SendWith(socket, TakeFrame(id, kInAFrame), file, kInAFrame)) sent += kInAFrame;
      }
      break;
    default:  // With a frame that never comes to its end.
      if (SendWith(socket, TakeFrame(1, kInAFrame).substr(0, 40), file, kInAFrame)) {
        sent = kInAFrame;
      }
  }
  return sent;
}

// Until so many descriptors went, and a lingering socket with each of `lingering` connections.
void Flood(const std::string& endpoint, size_t count, size_t lingering, const Talk& talk) {
  const OsHandle file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  LingeringSockets sockets(seconds(1));
  size_t sent = 0;
  for (size_t kind = 0; sent < count; ++kind) {
    const size_t more = Attack(endpoint, kind, file.get());
    if (more == 0 && !ConnectRaw(endpoint).valid()) break;
    sent += more;
    if (kind < 6 * lingering) {
      const OsHandle slow = sockets.New();
      if (slow.valid()) sent += Attack(endpoint, kind, slow.get());
    }
  }
  talk.Say(std::to_string(sent));
  talk.Hear();
}

}  // namespace

void MeasureDescriptorFlood(Report& report, size_t size) {
  constexpr size_t kAttackers = 2;
  constexpr size_t kLingering = 1;
  const TemporaryFolder folder;
  ServerConfig config;
  config.measures_stalls = true;
  ServerProcess server(folder.Endpoint(), config);
  CallAsVictim(folder.Endpoint(), std::chrono::milliseconds(100));
  Await([&] { return server.shown().ends == 1; });
  const size_t descriptors = Descriptors(server.pid());
  std::vector<std::unique_ptr<Child>> attackers;
  for (size_t i = 0; i < kAttackers; ++i) {
    attackers.push_back(std::make_unique<Child>(
        [&](const Talk& talk) { Flood(folder.Endpoint(), size / kAttackers, kLingering, talk); },
        User(kAttacker)));
  }
  const Load victim = CallAsVictim(folder.Endpoint(), std::chrono::milliseconds(1000));
  size_t sent = 0;
  for (const auto& attacker : attackers) {
    const std::string line = attacker->talk().Hear(seconds(1200));
    if (!line.empty()) sent += std::stoul(line);
  }
  report.Count(
      std::to_string(sent) + " descriptors sent, server " + (server.alive() ? "alive" : "dead"),
      "all, alive", sent >= size && server.alive());
  report.Count(std::to_string(victim.failed) + " calls of the victim failed", "0",
               victim.failed == 0);
  // What is still to be read, and what takes a while to close, is closed in the end.
  attackers.clear();
  Await([&] { return Descriptors(server.pid()) == descriptors; }, seconds(30));
  report.Count(std::to_string(static_cast<int64_t>(Descriptors(server.pid())) -
                              static_cast<int64_t>(descriptors)) +
                   " descriptors more than before",
               "0", Descriptors(server.pid()) == descriptors);
  const double stall = static_cast<double>(server.shown().longest_stall_us) / 1000;
  report.Time("the loop's longest stall was " + Text(stall) + " ms", "at most 10", stall <= 10);
}

}  // namespace lwmsg::test
