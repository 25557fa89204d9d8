#include <condition_variable>
#include <deque>
#include <random>
#include <thread>

#include "tests/stress/fixture.h"

// Sessions whose constructors answer later, from another thread.
namespace lwmsg::test {
namespace {

constexpr int kThreads = 8;
constexpr int kRounds = 60;

// Answers new sessions on a thread of its own: lets in, refuses or drops them.
class Doorkeeper {
 public:
  explicit Doorkeeper(uint64_t seed) : random_(seed), thread_([this] { Work(); }) {}
  Doorkeeper(const Doorkeeper&) = delete;
  Doorkeeper& operator=(const Doorkeeper&) = delete;
  ~Doorkeeper() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  void Ask(NewSession session) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::move(session));
    changed_.notify_one();
  }

 private:
  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ending_ || !asked_.empty(); });
      if (asked_.empty()) return;
      NewSession session = std::move(asked_.front());
      asked_.pop_front();
      const auto answer = random_() % 4;
      lock.unlock();
      if (answer == 0) session.Refuse({StatusCode::kPermissionDenied, "not today"});
      if (answer == 1) session.Accept();
      if (answer == 2) session.Accept(std::make_shared<Guest>());
      lock.lock();
    }
  }

  std::mutex mutex_;  // Guards all but the thread.
  std::condition_variable changed_;
  std::deque<NewSession> asked_;
  std::mt19937_64 random_;
  bool ending_ = false;
  std::thread thread_;
};

struct Ends {
  std::atomic<int> good = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> dropped = 0;
  std::atomic<int> strange = 0;

  void Count(const Status& status) {
    if (status.ok()) {
      ++good;
    } else if (status.code() == StatusCode::kPermissionDenied) {
      ++refused;
    } else if (status.code() == StatusCode::kAborted) {
      ++dropped;
    } else {
      ++strange;
    }
  }
};

class SessionsStressTest : public StressTest, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Modes, SessionsStressTest, testing::Values("Local", "Direct"),
                         [](const auto& mode) { return std::string(mode.param); });

Status CallOf(BlockingClient& client) {
  auto run = stress::StressClient(client).Make();
  run->setId(NextId());
  auto reply = run.Sync();
  return reply ? Status() : reply.error();
}

TEST_P(SessionsStressTest, EachIsAnsweredAndEnds) {
  const std::string where = GetParam()[0] == 'D' ? direct_ : folder_.Endpoint();
  const uint64_t seed = Seed();
  Doorkeeper doorkeeper(seed);
  Ends ends;
  {
    const ServerThread server({where}, Record(), [&doorkeeper] {
      ServerOptions options;
      options.on_session = [&doorkeeper](NewSession session) {
        doorkeeper.Ask(std::move(session));
      };
      return options;
    });
    std::vector<std::thread> threads;
    const SessionKey shared = SessionKey::Random();
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, random = std::mt19937_64(seed + i)]() mutable {
        for (int round = 0; round < Times(kRounds); ++round) {
          ClientOptions options;
          if (random() % 2 == 0) options.session = shared;
          BlockingClient client(where, std::move(options));
          if (random() % 4 == 0) {
            // Goes while the constructor thinks.
            auto keep = stress::StressClient(client).Keep();
            keep->setId(NextId());
            keep.Send([](auto) {});
            continue;
          }
          ends.Count(CallOf(client));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_GT(ends.good, 0);
  EXPECT_GT(ends.refused, 0);
  EXPECT_GT(ends.dropped, 0);
  EXPECT_EQ(ends.strange, 0);
}

}  // namespace
}  // namespace lwmsg::test
