#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include "tests/reliability/child.h"
#include "tests/reliability/figures.h"
#include "tests/reliability/load.h"
#include "tests/reliability/measures.h"
#include "tests/reliability/memory_limit.h"
#include "tests/reliability/raw.h"
#include "tests/reliability/server.h"
#include "tests/support/inventory.h"

// Bytes that a server would have to keep, as fast as they go.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMemory = size_t{64} << 20;
// What one user may make a server keep, in each direction (Limits), and what a loop, a heap and
// the messages under way need besides.
constexpr size_t kBudgetKib = size_t{16} << 10;
constexpr size_t kBesidesKib = size_t{8} << 10;
constexpr uint32_t kLarge = 900'000;

// What a connection sends as its next, by the number of it; empty: no more.
using Frames = std::function<std::string(uint32_t)>;

// A connection of the attacker, which never reads and never blocks.
class Attacker {
 public:
  Attacker(const std::string& endpoint, const Frames& frames)
      : endpoint_(endpoint), frames_(frames) {}

  // Sends what goes, of a few frames. False: nobody listens any more.
  bool SendSome() {
    if (!socket_.valid()) {
      socket_ = ConnectRaw(endpoint_);
      if (!socket_.valid()) return false;
      unsent_ = HelloFrame();
      at_ = 0;
      next_ = 0;
    }
    for (int frames = 0; frames < 4;) {
      if (at_ == unsent_.size()) {
        ++frames;
        unsent_ = frames_(++next_);
        at_ = 0;
        if (unsent_.empty()) return true;
      }
      const ssize_t size = send(socket_.get(), unsent_.data() + at_, unsent_.size() - at_,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
      if (size > 0) {
        at_ += static_cast<size_t>(size);
        continue;
      }
      if (errno != EAGAIN) socket_.Close();  // It was cut: another, in the next round.
      return true;
    }
    return true;
  }

 private:
  const std::string& endpoint_;
  const Frames& frames_;
  OsHandle socket_;
  std::string unsent_;
  size_t at_ = 0;
  uint32_t next_ = 0;
};

// Until it is killed, or nobody listens.
void Flood(const std::string& endpoint, const Frames& frames, const Talk& talk) {
  constexpr size_t kConnections = 120;
  std::vector<Attacker> attackers;
  attackers.reserve(kConnections);
  for (size_t i = 0; i < kConnections; ++i) attackers.emplace_back(endpoint, frames);
  bool listens = true;
  for (bool first = true; listens; first = false) {
    for (Attacker& attacker : attackers) listens = attacker.SendSome() && listens;
    if (first) talk.Say("floods");
    poll(nullptr, 0, 1);
  }
}

void MeasureFlood(Report& report, size_t size, const Frames& frames) {
  const MemoryLimit memory(kMemory);
  if (!memory.works()) return report.Skip("needs root and a memory cgroup of version 1");
  const TemporaryFolder folder;
  ServerConfig config;
  config.memory = &memory;
  ServerProcess server(folder.Endpoint(), config);
  CallAsVictim(folder.Endpoint(), milliseconds(100));
  const size_t kib = ResidentKib(server.pid());
  Child attacker([&](const Talk& talk) { Flood(folder.Endpoint(), frames, talk); },
                 User(kAttacker));
  attacker.talk().Hear();
  const Load victim = CallAsVictim(folder.Endpoint(), milliseconds(size));
  const size_t more = PeakResidentKib(server.pid()) - kib;
  const bool flooded = attacker.alive();
  attacker.End();
  if (!server.alive()) {
    return report.Count("the server died with " + std::to_string(kMemory >> 20) + " MiB", "alive",
                        false);
  }
  if (!flooded) report.Count("the flood ended before the calls", "goes on", false);
  report.Count("the server lives, " + std::to_string(victim.failed) + " of " +
                   std::to_string(victim.calls) + " calls of another user failed",
               "none of some", victim.failed == 0 && victim.calls != 0);
  report.Count(std::to_string(more) + " KiB of memory more than before at most",
               std::to_string(kBudgetKib + kBesidesKib), more <= kBudgetKib + kBesidesKib);
  server.Kill();
}

}  // namespace

void MeasureHalfSentFlood(Report& report, size_t size) {
  std::string half = DataFrame(1, kWorkKeep, kLarge);
  half.resize(half.size() - 8);
  MeasureFlood(report, size, [&](uint32_t number) { return number == 1 ? half : std::string(); });
}

void MeasureKeptCallsFlood(Report& report, size_t size) {
  MeasureFlood(report, size, [](uint32_t number) { return DataFrame(number, kWorkKeep, kLarge); });
}

void MeasureUnreadRepliesFlood(Report& report, size_t size) {
  MeasureFlood(report, size, [](uint32_t number) { return WorkBlobFrame(number, kLarge); });
}

void MeasureOneWayFlood(Report& report, size_t size) {
  MeasureFlood(report, size, [](uint32_t /*number*/) { return DataFrame(0, kWorkNote, kLarge); });
}

}  // namespace lwmsg::test
