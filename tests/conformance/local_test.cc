#include "tests/conformance/local.h"

#include <gmock/gmock.h>

#include <atomic>
#include <list>
#include <thread>
#include <vector>

#include "tests/support/system.h"

// LWMsg's client_server and stress tests 29 to 36.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

Status Ping(const BlockingClient& client) {
  auto reply = conformance::TargetClient(client).Ping().Sync();
  return reply ? Status() : reply.error();
}

TEST_F(ConformanceLocal, C29_StopListenRemovesEndpoint) {
  Start();
  ASSERT_TRUE(EndpointExists(folder_.Endpoint()));
  host_->Stop();
  EXPECT_FALSE(EndpointExists(folder_.Endpoint()));
}

// Differs: a reply that breaks its schema is the handler's mistake, kInternal, not the caller's.
TEST_F(ConformanceLocal, C31_BogusReplyFailPingSucceed) {
  Start();
  BlockingClient client(folder_.Endpoint());
  const conformance::TargetClient target(client);
  for (int i = 0; i < 2; ++i) {
    auto bogus = target.Bogus();
    bogus->setNumber(101);
    auto reply = bogus.Sync();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), StatusCode::kInternal) << reply.error();
    EXPECT_THAT(reply.error().message(), HasSubstr("reply of Target.bogus: number: 101"));
  }
  for (int i = 0; i < 2; ++i) {
    auto large = target.Large();
    large->setSize(Limits().max_frame_bytes);
    auto reply = large.Sync();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), StatusCode::kResourceExhausted) << reply.error();
  }
  EXPECT_EQ(Ping(client), Status());
}

// Differs: only a client that waits has others evicted (Limits::idle_timeout).
TEST_F(ConformanceLocal, C32_ClientLimitTimeout) {
  Start([] {
    ServerOptions options;
    options.limits.max_associations = 64;
    options.limits.idle_timeout = milliseconds(100);
    return options;
  });
  const auto begin = std::chrono::steady_clock::now();
  std::list<BlockingClient> clients;
  for (int i = 0; i < 128; ++i) {
    ASSERT_EQ(Ping(clients.emplace_back(folder_.Endpoint())), Status()) << "client " << i;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(ConformanceLocal, C33_PairBasic) {
  Host host(target_);
  auto pair = MakePairHere();
  ASSERT_TRUE(pair) << pair.error();
  ASSERT_TRUE(host.Adopt(std::move(pair->first)).ok());
  const BlockingClient client(std::move(pair->second));
  EXPECT_EQ(Ping(client), Status());
}

TEST_F(ConformanceLocal, C34_HandleInvalidation) {
  Start();
  int lost = 0;
  ClientOptions options;
  options.reconnect = Reconnect::kOnNextCall;
  options.on_session_lost = [&lost] { ++lost; };
  BlockingClient client(folder_.Endpoint(), std::move(options));
  const conformance::TargetClient target(client);
  auto open = [&target](const std::string& text) {
    auto request = target.Open();
    request->setText(text);
    return request.Sync().and_then([](auto reply) { return reply.takeState(); });
  };
  auto read = [&target](const Handle<conformance::State>& state) {
    auto request = target.ReadText();
    request->setState(state);
    return request.Sync().map([](auto reply) { return std::string(reply.getText()); });
  };
  auto before = open("before");
  ASSERT_TRUE(before) << before.error();
  EXPECT_EQ(read(*before), "before");
  host_->Replace();
  ASSERT_TRUE(host_->Listen(folder_.Endpoint()).ok());
  // The end of the first connection may come behind the next call, which fails then.
  auto after = open("after");
  if (!after) after = open("after");
  ASSERT_TRUE(after) << after.error();
  EXPECT_EQ(read(*before).error().code(), StatusCode::kInvalidHandle);
  EXPECT_EQ(read(*after), "after");
  EXPECT_EQ(lost, 1);
  before = Handle<conformance::State>();  // To let go of it is still fine.
  EXPECT_EQ(read(*after), "after");
}

TEST_F(ConformanceLocal, C35_Parallel) {
  constexpr int kThreads = 16;
  Start([] {
    ServerOptions options;
    // The client that made the counter has one place, so one of the threads waits for another.
    options.limits.max_associations = kThreads;
    options.limits.idle_timeout = std::chrono::seconds(1);
    return options;
  });
  const SessionKey key = SessionKey::Random();
  BlockingClient maker(folder_.Endpoint(), ClientOptions{.session = key});
  auto counter = conformance::TargetClient(maker).MakeCounter().Sync().and_then(
      [](auto reply) { return reply.takeCounter(); });
  ASSERT_TRUE(counter) << counter.error();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const BlockingClient client(folder_.Endpoint(), ClientOptions{.session = key});
      for (int call = 0; call < 10; ++call) {
        auto add = conformance::CounterClient(counter->On(client)).Add();
        add->setAmount(1);
        auto reply = add.Sync();
        EXPECT_TRUE(reply) << reply.error();
        if (reply) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
  auto total = conformance::CounterClient(*counter).Add().Sync();
  ASSERT_TRUE(total) << total.error();
  EXPECT_EQ(total->getTotal(), 160U);
}

TEST_F(ConformanceLocal, C36_ParallelPrintProtocol) {
  std::vector<std::thread> threads;
  threads.reserve(16);
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([] {
      const std::string text = Print(conformance::kTargetProtocol);
      for (const MethodInfo& method : conformance::kTargetProtocol.methods) {
        EXPECT_THAT(text, HasSubstr(std::string(method.name)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace lwmsg::test
