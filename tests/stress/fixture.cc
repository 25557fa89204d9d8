#include "tests/stress/fixture.h"

#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <random>
#include <utility>

namespace lwmsg::test {

std::vector<uint64_t> Executed::Twice() const {
  const std::lock_guard lock(mutex_);
  std::vector<uint64_t> twice;
  for (const auto& [id, count] : counts_) {
    if (count > 1) twice.push_back(id);
  }
  return twice;
}

ServerThread::ServerThread(std::vector<std::string> endpoints,
                           std::function<void(uint64_t)> executed,
                           std::function<ServerOptions()> options)
    : endpoints_(std::move(endpoints)), service_(std::move(executed)) {
  std::promise<void> ready;
  thread_ = std::thread([&] { Serve(options, [&ready] { ready.set_value(); }); });
  ready.get_future().wait();
}

ServerThread::~ServerThread() {
  EXPECT_TRUE(WaitUntil([this] {
    size_t count = 1;
    Run([&count](Server& server) { count = server.association_count(); });
    return count == 0;
  })) << "associations are left";
  loop_->Stop();
  thread_.join();
}

void ServerThread::Serve(const std::function<ServerOptions()>& options,
                         std::function<void()> ready) {
  Loop loop;
  Server server(loop, options());
  loop_ = &loop;
  server_ = &server;
  EXPECT_EQ(server.Serve(service_), Status());
  Listen();
  std::exchange(ready, {})();
  loop.Run();
}

void ServerThread::Listen() {
  for (const std::string& endpoint : endpoints_) EXPECT_EQ(server_->Listen(endpoint), Status());
}

void ServerThread::Run(const std::function<void(Server&)>& task) {
  std::promise<void> done;
  loop_->Post([&] {
    task(*server_);
    done.set_value();
  });
  done.get_future().wait();
}

void ServerThread::Restart() {
  Run([this](Server& server) {
    server.Stop();
    Listen();
  });
}

uint64_t Seed() {
  const char* wanted = std::getenv("LWMSG_STRESS_SEED");
  const uint64_t seed = wanted == nullptr ? std::random_device()() : std::stoull(wanted);
  std::cout << "LWMSG_STRESS_SEED=" << seed << "\n";
  return seed;
}

bool WaitUntil(const std::function<bool()>& done) {
  const auto begin = std::chrono::steady_clock::now();
  while (!done()) {
    if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(20)) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace lwmsg::test
