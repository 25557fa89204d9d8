#include <atomic>
#include <future>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "tests/multiprocess/fixture.h"

// A server with several loops, over which its clients' processes spread.
namespace lwmsg::test {
namespace {

using ::testing::SizeIs;

class AnsweringService final : public sample::ListenerService {
 public:
  void Notify(NotifyCall call) override { call.Reply(); }
};

// On which threads the calls of each process were, and the sessions that it got.
class Sightings final : public CallWatcher {
 public:
  void OnBegin(const CallInfo& call) override {
    const std::lock_guard lock(mutex_);
    threads_[call.peer.pid().value_or(0)].insert(std::this_thread::get_id());
  }
  void OnEnd(const CallInfo&, const Status&, std::chrono::nanoseconds) override {}
  void OnSession(const Token& peer) {
    const std::lock_guard lock(mutex_);
    ++sessions_[peer.pid().value_or(0)];
  }

  std::set<std::thread::id> threads_of(const Process& process) {
    const std::lock_guard lock(mutex_);
    return threads_[process.pid()];
  }
  int sessions_of(const Process& process) {
    const std::lock_guard lock(mutex_);
    return sessions_[process.pid()];
  }

 private:
  std::mutex mutex_;
  std::map<uint32_t, std::set<std::thread::id>> threads_;
  std::map<uint32_t, int> sessions_;
};

class LoopsTest : public MultiprocessTest {
 protected:
  void TearDown() override {
    if (!thread_.joinable()) return;
    loop_->Stop();
    thread_.join();
  }

  // Serves Listener, on a thread of its own.
  void Serve(unsigned loops, const Limits& limits = {}) {
    std::promise<void> ready;
    thread_ = std::thread([&, loops] {
      Loop loop;
      AnsweringService service;
      ServerOptions options;
      options.loops = loops;
      options.limits = limits;
      options.watcher = sightings_;
      options.on_session = [sightings = sightings_](NewSession session) {
        sightings->OnSession(session.peer());
        session.Accept();
      };
      Server server(loop, std::move(options));
      EXPECT_TRUE(server.Serve(service).ok());
      EXPECT_TRUE(server.Listen(folder_.Endpoint()).ok());
      loop_ = &loop;
      server_ = &server;
      ready.set_value();
      loop.Run();
    });
    ready.get_future().wait();
  }
  ServerState State() {
    std::promise<ServerState> state;
    loop_->Post([&] { state.set_value(server_->State()); });
    return state.get_future().get();
  }
  // Fails after 20 seconds.
  template <typename Done>
  void AwaitState(Done done) {
    const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done(State()) && std::chrono::steady_clock::now() < late) std::this_thread::yield();
    EXPECT_TRUE(done(State()));
  }
  Process& Start(const std::string& role, const std::string& argument) {
    return processes_.emplace_back(role, Arguments{EndpointArgument(), argument});
  }

  std::shared_ptr<Sightings> sightings_ = std::make_shared<Sightings>();
  Loop* loop_ = nullptr;
  Server* server_ = nullptr;
  std::thread thread_;
  std::list<Process> processes_;
};

TEST_F(LoopsTest, ProcessesSpreadAndEachHasOneThreadAndOneSession) {
  Serve(3);
  std::set<std::thread::id> all;
  for (int i = 0; i < 3; ++i) {
    Process& process = Start("share", "clients=4");
    ASSERT_EQ(process.ReadLine(), "answered");
    const auto threads = sightings_->threads_of(process);
    EXPECT_THAT(threads, SizeIs(1));
    all.insert(threads.begin(), threads.end());
    EXPECT_EQ(sightings_->sessions_of(process), 1);
  }
  EXPECT_THAT(all, SizeIs(3));
  const ServerState state = State();
  std::map<uint32_t, std::set<uint64_t>> sessions;
  for (const AssociationState& association : state.associations) {
    sessions[association.peer.pid().value_or(0)].insert(association.session_id);
  }
  EXPECT_THAT(state.associations, SizeIs(12));
  EXPECT_THAT(sessions, SizeIs(3));
  for (const auto& [pid, ids] : sessions) EXPECT_THAT(ids, SizeIs(1)) << pid;
}

TEST_F(LoopsTest, OneLoopServesAllProcesses) {
  Serve(1);
  std::set<std::thread::id> all;
  for (int i = 0; i < 3; ++i) {
    Process& process = Start("share", "clients=2");
    ASSERT_EQ(process.ReadLine(), "answered");
    all.merge(sightings_->threads_of(process));
  }
  EXPECT_THAT(all, SizeIs(1));
}

TEST_F(LoopsTest, DeathOfAProcessMakesRoomOnWhicheverLoopItWas) {
  Limits limits;
  limits.max_associations = 2;
  limits.idle_timeout = std::chrono::hours(1);
  Serve(2, limits);
  for (int i = 0; i < 2; ++i) ASSERT_EQ(Start("share", "clients=1").ReadLine(), "answered");
  for (int i = 0; i < 4; ++i) {
    Process& waiting = Start("share", "clients=1");
    AwaitState([](const ServerState& state) { return state.client_waits; });
    processes_.pop_front();
    EXPECT_EQ(waiting.ReadLine(), "answered");
    AwaitState([](const ServerState& state) { return state.associations.size() == 2; });
  }
}

TEST_F(LoopsTest, ManyProcessesComeAndGoWhileSomebodyLooks) {
  Limits limits;
  limits.max_associations = 3;
  limits.idle_timeout = std::chrono::milliseconds(1);
  Serve(2, limits);
  const int times = Times(100);
  for (int i = 0; i < 4; ++i) Start("come-and-go", "times=" + std::to_string(times));
  std::atomic<bool> over = false;
  std::thread looks([&] {
    while (!over) EXPECT_LE(State().associations.size(), 3U);
  });
  for (Process& process : processes_) {
    // One that was slow to call may have been evicted.
    const std::string line = process.ReadLine();
    EXPECT_TRUE(line.starts_with("answered ") && line != "answered 0") << line;
    EXPECT_EQ(process.Wait(), 0);
  }
  over = true;
  looks.join();
  AwaitState([](const ServerState& state) { return state.associations.empty(); });
}

}  // namespace
}  // namespace lwmsg::test
