#pragma once

#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "tests/stress/stress_service.h"
#include "tests/support/inventory.h"

namespace lwmsg::test {

// Which calls were executed, and how often. Any thread.
class Executed {
 public:
  void Add(uint64_t id) {
    const std::lock_guard lock(mutex_);
    ++counts_[id];
  }
  int CountOf(uint64_t id) const {
    const std::lock_guard lock(mutex_);
    auto found = counts_.find(id);
    return found == counts_.end() ? 0 : found->second;
  }
  // The calls that were executed more than once.
  std::vector<uint64_t> Twice() const;

 private:
  mutable std::mutex mutex_;
  std::map<uint64_t, int> counts_;  // Guarded by mutex_.
};

// A server with its service and loop on a thread of its own.
class ServerThread {
 public:
  ServerThread(
      std::vector<std::string> endpoints, std::function<void(uint64_t)> executed,
      std::function<ServerOptions()> options = [] { return ServerOptions(); });
  ServerThread(const ServerThread&) = delete;
  ServerThread& operator=(const ServerThread&) = delete;
  // Waits until no association is left, then ends the server.
  ~ServerThread();

  // Runs `task` there and waits for it.
  void Run(const std::function<void(Server&)>& task);
  // Stops the server and listens again.
  void Restart();

 private:
  void Serve(const std::function<ServerOptions()>& options, std::function<void()> ready);
  void Listen();

  const std::vector<std::string> endpoints_;
  StressService service_;
  Loop* loop_ = nullptr;  // Set before the constructor returns.
  Server* server_ = nullptr;
  std::thread thread_;
};

// A number that no other call has.
inline uint64_t NextId() {
  static std::atomic<uint64_t> last = 0;
  return ++last;
}

// For random tests: of LWMSG_STRESS_SEED, or a fresh one; printed.
uint64_t Seed();

// Waits in turns of the scheduler; false after 20 seconds.
bool WaitUntil(const std::function<bool()>& done);

class StressTest : public InventoriedTest {
 protected:
  StressTest() : direct_("direct:stress-" + std::to_string(NextId())) {}
  ~StressTest() override {
    EXPECT_EQ(Guest::count(), 0);
    EXPECT_EQ(Counted::living(), 0);
    EXPECT_TRUE(executed_.Twice().empty()) << testing::PrintToString(executed_.Twice());
  }

  std::function<void(uint64_t)> Record() {
    return [this](uint64_t id) { executed_.Add(id); };
  }

  TemporaryFolder folder_;
  std::string direct_;
  Executed executed_;
};

}  // namespace lwmsg::test
