#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/stress/fixture.h"
#include "tests/support/process.h"

// A server that goes and comes again under clients that call all the time.
namespace lwmsg::test {
namespace {

constexpr int kStops = 950;
constexpr int kKills = 50;
constexpr int kClients = 4;

// What one thread of calls saw.
struct Seen {
  std::vector<uint64_t> answered;  // Calls with a good reply.
  int failed = 0;
  int sessions_lost = 0;
  int invalid_handles = 0;
  int other_objects = 0;  // Answers of an object that the handle did not name.
  std::vector<Status> strange;
};

bool Expected(const Status& status) {
  return status.code() == StatusCode::kUnavailable || status.code() == StatusCode::kNotFound;
}

// Calls until it is told to end, with a handle that it keeps also when its session is lost.
class CallerThread {
 public:
  explicit CallerThread(const std::string& endpoint) {
    ClientOptions options;
    options.reconnect = Reconnect::kOnNextCall;
    options.on_session_lost = [this] { ++seen_.sessions_lost; };
    client_.emplace(endpoint, std::move(options));
    thread_ = std::thread([this] { Work(); });
  }
  CallerThread(const CallerThread&) = delete;
  CallerThread& operator=(const CallerThread&) = delete;
  ~CallerThread() { End(); }

  // Good replies to Run so far. Any thread.
  uint64_t good() const { return good_; }
  Seen& End() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
    return seen_;
  }

 private:
  void Work() {
    while (!ended_) {
      Run();
      Make();
      for (int i = 0; i < 4 && handle_; ++i) Add();
    }
    handle_ = {};
    client_.reset();
  }
  void Failed(const Status& status) {
    ++seen_.failed;
    if (!Expected(status)) seen_.strange.push_back(status);
    std::this_thread::yield();
  }
  void Run() {
    auto run = stress::StressClient(*client_).Run();
    const uint64_t id = NextId();
    run->setId(id);
    auto reply = run.Sync();
    if (!reply) return Failed(reply.error());
    EXPECT_EQ(reply->getId(), id);
    seen_.answered.push_back(id);
    ++good_;
  }
  void Make() {
    if (handle_) return;
    auto make = stress::StressClient(*client_).Make();
    maker_ = NextId();
    make->setId(maker_);
    auto reply = make.Sync();
    if (!reply) return Failed(reply.error());
    seen_.answered.push_back(maker_);
    session_ = seen_.sessions_lost;
    handle_ = *reply->takeObject();
  }
  void Add() {
    auto reply = stress::CountedClient(handle_.On(*client_)).Add().Sync();
    const bool lost = session_ != seen_.sessions_lost;
    if (reply) {
      if (lost || reply->getMaker() != maker_) ++seen_.other_objects;
      return;
    }
    if (reply.error().code() != StatusCode::kInvalidHandle) return Failed(reply.error());
    ++seen_.invalid_handles;
    if (!lost) seen_.strange.push_back(reply.error());
    handle_ = {};
  }

  std::atomic<uint64_t> good_ = 0;
  std::atomic<bool> ended_ = false;
  Seen seen_;
  int session_ = 0;
  uint64_t maker_ = 0;
  std::optional<BlockingClient> client_;
  Handle<stress::Counted> handle_;
  std::thread thread_;
};

class RestartStressTest : public StressTest {
 protected:
  void StartCallers(const std::string& endpoint) {
    for (int i = 0; i < kClients; ++i) {
      callers_.push_back(std::make_unique<CallerThread>(endpoint));
    }
  }
  // Until each has one more answer: else one that the scheduler forgets would have no session to
  // lose.
  void LetThemCall() {
    std::vector<uint64_t> before;
    for (const auto& caller : callers_) before.push_back(caller->good());
    ASSERT_TRUE(WaitUntil([&] {
      return std::equal(callers_.begin(), callers_.end(), before.begin(),
                        [](const auto& caller, uint64_t count) { return caller->good() > count; });
    })) << "no call gets through";
  }
  void Check() {
    int invalid = 0;
    for (auto& caller : callers_) {
      const Seen& seen = caller->End();
      EXPECT_EQ(seen.other_objects, 0);
      EXPECT_THAT(seen.strange, testing::IsEmpty());
      EXPECT_GT(seen.sessions_lost, 0);
      for (uint64_t id : seen.answered) EXPECT_EQ(executed_.CountOf(id), 1) << id;
      invalid += seen.invalid_handles;
    }
    EXPECT_GT(invalid, 0) << "no handle outlived a server";
    callers_.clear();
  }

  std::vector<std::unique_ptr<CallerThread>> callers_;
};

TEST_F(RestartStressTest, EachCallOfAServerThatStopsIsExecutedOnceAtMost) {
  ServerThread server({folder_.Endpoint()}, Record(), [] {
    ServerOptions options;
    options.on_session = [](NewSession session) { session.Accept(std::make_shared<Guest>()); };
    return options;
  });
  StartCallers(folder_.Endpoint());
  for (int i = 0; i < Times(kStops) && !HasFatalFailure(); ++i) {
    LetThemCall();
    server.Restart();
  }
  Check();
}

TEST_F(RestartStressTest, EachCallOfADirectServerThatStopsIsExecutedOnceAtMost) {
  ServerThread server({direct_}, Record());
  StartCallers(direct_);
  for (int i = 0; i < Times(kStops / 5) && !HasFatalFailure(); ++i) {
    LetThemCall();
    server.Restart();
  }
  Check();
}

// T47, under load.
TEST_F(RestartStressTest, EachCallOfAServerThatIsKilledIsExecutedOnceAtMost) {
  const std::string record = folder_.Path("record");
  StartCallers(folder_.Endpoint());
  for (int i = 0; i < Times(kKills) && !HasFatalFailure(); ++i) {
    Process server("serve", {folder_.Endpoint(), record});
    ASSERT_EQ(server.ReadLine(), "ready");
    LetThemCall();
    server.Kill();
    server.Wait();
  }
  for (auto& caller : callers_) caller->End();
  const std::string ids = ReadAll(OpenFile(record));
  for (size_t at = 0; at + sizeof(uint64_t) <= ids.size(); at += sizeof(uint64_t)) {
    uint64_t id = 0;
    std::memcpy(&id, ids.data() + at, sizeof(id));
    executed_.Add(id);
  }
  Check();
}

}  // namespace
}  // namespace lwmsg::test
