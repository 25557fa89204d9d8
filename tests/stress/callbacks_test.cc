#include "tests/stress/fixture.h"
#include "tests/support/sample_service.h"
#include "tests/support/system.h"

// Calls in both directions at once, each inside the handler of the other.
namespace lwmsg::test {
namespace {

const auto kRounds = static_cast<uint32_t>(Times(1'000));
constexpr uint32_t kDepth = 8;

enum class Mode { kLocal, kPair, kDirect };

std::string NameOf(Mode mode) {
  return mode == Mode::kLocal ? "Local" : mode == Mode::kPair ? "Pair" : "Direct";
}
void PrintTo(Mode mode, std::ostream* out) { *out << NameOf(mode); }

class CallbacksStressTest : public StressTest, public testing::WithParamInterface<Mode> {
 protected:
  CallbacksStressTest() : server_({folder_.Endpoint(), direct_}, Record()) {}

  // Makes a client of `Maker(where)`, where to connect or a connected socket.
  template <typename Maker>
  auto Connect(Maker make) {
    if (GetParam() == Mode::kLocal) return make(folder_.Endpoint());
    if (GetParam() == Mode::kDirect) return make(direct_);
    auto pair = MakePairHere();
    server_.Run(
        [&pair](Server& server) { EXPECT_EQ(server.Adopt(std::move(pair->first)), Status()); });
    return make(std::move(pair->second));
  }
  auto BlockingClientHere() {
    return Connect([](auto where) { return std::make_unique<BlockingClient>(std::move(where)); });
  }

  ServerThread server_;
};

INSTANTIATE_TEST_SUITE_P(Modes, CallbacksStressTest,
                         testing::Values(Mode::kLocal, Mode::kPair, Mode::kDirect),
                         [](const auto& mode) { return NameOf(mode.param); });

Result<uint32_t> CallBack(const Channel& channel, uint32_t rounds, uint32_t depth) {
  auto call = stress::StressClient(channel).CallBack();
  call->setRounds(rounds);
  call->setDepth(depth);
  auto reply = call.Sync();
  if (!reply) return Error(reply.error());
  return reply->getCalls();
}

TEST_P(CallbacksStressTest, RoundsOfOneCall) {
  BlockingCaller caller;
  auto client = BlockingClientHere();
  ASSERT_EQ(client->Serve(caller), Status());
  auto calls = CallBack(*client, kRounds, 0);
  ASSERT_TRUE(calls) << calls.error();
  EXPECT_EQ(*calls, kRounds);
}

TEST_P(CallbacksStressTest, RoundsOfManyCalls) {
  BlockingCaller caller;
  auto client = BlockingClientHere();
  ASSERT_EQ(client->Serve(caller), Status());
  for (uint32_t round = 0; round < kRounds; ++round) {
    auto calls = CallBack(*client, 1, 0);
    ASSERT_TRUE(calls) << calls.error();
    ASSERT_EQ(*calls, 1U);
  }
}

TEST_P(CallbacksStressTest, EachWaitsInsideTheHandlerOfTheOther) {
  BlockingCaller caller;
  auto client = BlockingClientHere();
  ASSERT_EQ(client->Serve(caller), Status());
  auto calls = CallBack(*client, kRounds / 10, kDepth);
  ASSERT_TRUE(calls) << calls.error();
  EXPECT_EQ(*calls, kRounds / 10 * (kDepth + 1));
}

TEST_P(CallbacksStressTest, ManyAtATimeOfAClientThatWaitsInside) {
  BlockingCaller caller;
  auto client = BlockingClientHere();
  ASSERT_EQ(client->Serve(caller), Status());
  uint32_t calls = 0;
  int answered = 0;
  for (int i = 0; i < 20; ++i) {
    auto call = stress::StressClient(*client).CallBack();
    call->setRounds(5);
    call->setDepth(2);
    call.Send([&](auto reply) {
      ++answered;
      ASSERT_TRUE(reply) << reply.error();
      calls += reply->getCalls();
    });
  }
  while (answered < 20) ASSERT_TRUE(CallBack(*client, 1, 0));
  EXPECT_EQ(calls, 20U * 5 * 3);
}

TEST_P(CallbacksStressTest, ManyAtATimeOnALoop) {
  Loop loop;
  LoopCaller caller;
  auto client =
      Connect([&loop](auto where) { return std::make_unique<Client>(loop, std::move(where)); });
  ASSERT_EQ(client->Serve(caller), Status());
  uint32_t calls = 0;
  int answered = 0;
  for (int i = 0; i < 20; ++i) {
    auto call = stress::StressClient(*client).CallBack();
    call->setRounds(kRounds / 20);
    call->setDepth(3);
    call.Send([&](auto reply) {
      ++answered;
      ASSERT_TRUE(reply) << reply.error();
      calls += reply->getCalls();
    });
  }
  EXPECT_TRUE(RunLoopUntil(loop, [&] { return answered == 20; }));
  EXPECT_EQ(calls, kRounds * 4);
}

TEST_P(CallbacksStressTest, StreamIsReadInOrderByAReaderThatWaitsInside) {
  auto client = BlockingClientHere();
  auto count = stress::StressClient(*client).Count();
  count->setTo(200);
  auto stream = count.Start();
  std::vector<uint32_t> numbers;
  bool ended = false;
  std::function<void()> read = [&] {
    stream.Next([&](auto item) {
      ended = !item || !*item;
      if (ended) return;
      numbers.push_back((**item).getNumber());
      EXPECT_TRUE(CallBack(*client, 0, 0));
      read();
    });
  };
  read();
  while (!ended) {
    ASSERT_TRUE(CallBack(*client, 0, 0));
  }
  ASSERT_EQ(numbers.size(), 200U);
  for (uint32_t i = 0; i < 200; ++i) EXPECT_EQ(numbers[i], i);
}

}  // namespace
}  // namespace lwmsg::test
