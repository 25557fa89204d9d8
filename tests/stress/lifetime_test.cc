#include <uv.h>

#include <random>
#include <thread>

#include "tests/stress/fixture.h"
#include "tests/support/sample_service.h"

// Clients that go at any moment, with calls, streams and files under way.
namespace lwmsg::test {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 250;
constexpr int kRestarts = 100;

using NumberStream = decltype(std::declval<stress::StressClient>().Count().Start());

// One client after another on a loop, each with a random mix in flight when it goes.
class Mix {
 public:
  Mix(std::string endpoints, uint64_t seed) : endpoints_(std::move(endpoints)), random_(seed) {}

  void Play() {
    for (int round = 0; round < Times(kRounds); ++round) Round();
    EXPECT_TRUE(RunLoopUntil(loop_, [this] { return ended_ == started_; }))
        << started_ - ended_ << " calls did not end";
    EXPECT_EQ(twice_, 0);
  }

 private:
  uint64_t Roll(uint64_t sides) { return random_() % sides; }

  void Round() {
    ClientOptions options;
    options.reconnect = Reconnect::kOnNextCall;
    client_.emplace(loop_, endpoints_, std::move(options));
    const auto count = 1 + Roll(12);
    for (uint64_t i = 0; i < count && client_; ++i) {
      Begin();
      if (Roll(3) == 0) uv_run(loop_.uv(), UV_RUN_NOWAIT);
      if (Roll(6) == 0 && !pending_.empty()) pending_[Roll(pending_.size())].Cancel();
      if (Roll(6) == 0 && !streams_.empty()) streams_.pop_back();
    }
    for (auto turns = Roll(20); turns > 0; --turns) uv_run(loop_.uv(), UV_RUN_NOWAIT);
    if (Roll(2) == 0) streams_.clear();
    client_.reset();
    streams_.clear();
    pending_.clear();
  }

  void Begin() {
    stress::StressClient service(*client_);
    switch (Roll(6)) {
      case 0:
        return Send(service.Run());
      case 1:
        return Send(service.Make());
      case 2:
        return Send(service.Block());
      case 3:
        return Send(service.Keep());
      case 4: {
        auto give = service.Give();
        give->setFile(OpenNull());
        return Send(std::move(give));
      }
      default:
        return ReadStream(service.Count());
    }
  }

  template <typename Request>
  void Send(Request request) {
    request->setId(NextId());
    ++started_;
    pending_.push_back(request.Send([this, told = 0](auto /*reply*/) mutable {
      if (told++ != 0) ++twice_;
      ++ended_;
      // The client goes inside a callback of its own.
      if (Roll(40) == 0) client_.reset();
    }));
  }

  template <typename Request>
  void ReadStream(Request request) {
    request->setTo(static_cast<uint32_t>(Roll(30)));
    streams_.push_back(std::make_unique<NumberStream>(request.Start()));
    ReadNext(*streams_.back(), 0);
  }
  void ReadNext(NumberStream& stream, uint32_t expected) {
    stream.Next([this, &stream, expected](auto item) {
      if (!item || !*item) return;
      EXPECT_EQ((**item).getNumber(), expected);
      EXPECT_TRUE((**item).takeFile());
      ReadNext(stream, expected + 1);
    });
  }

  const std::string endpoints_;
  std::mt19937_64 random_;
  int started_ = 0;
  int ended_ = 0;
  int twice_ = 0;
  Loop loop_;
  std::vector<PendingCall> pending_;
  std::optional<Client> client_;
  std::vector<std::unique_ptr<NumberStream>> streams_;
};

class LifetimeStressTest : public StressTest {
 protected:
  void Play(const std::string& endpoints) {
    const uint64_t seed = Seed();
    ServerThread server({folder_.Endpoint(), direct_}, Record(), [] {
      ServerOptions options;
      options.on_session = [](NewSession session) { session.Accept(std::make_shared<Guest>()); };
      return options;
    });
    std::atomic<int> playing = kThreads;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&playing, endpoints, mine = seed + static_cast<uint64_t>(i)] {
        Mix(endpoints, mine).Play();
        --playing;
      });
    }
    for (int i = 0; i < kRestarts && playing > 0; ++i) {
      server.Restart();
      std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(LifetimeStressTest, LocalClientsGoAtAnyMoment) { Play(folder_.Endpoint()); }

TEST_F(LifetimeStressTest, DirectClientsGoAtAnyMoment) { Play(direct_); }

TEST_F(LifetimeStressTest, ClientsOfAListOfEndpointsGoAtAnyMoment) {
  Play(direct_ + "," + folder_.Endpoint());
}

}  // namespace
}  // namespace lwmsg::test
