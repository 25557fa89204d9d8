#include <thread>
#include <vector>

#include "tests/stress/fixture.h"

// One session, one object, many threads.
namespace lwmsg::test {
namespace {

constexpr int kThreads = 16;
const auto kCalls = static_cast<uint64_t>(Times(10'000));

class SharedSessionStressTest : public StressTest, public testing::WithParamInterface<const char*> {
 protected:
  std::string Where() const { return GetParam()[0] == 'D' ? direct_ : folder_.Endpoint(); }
};

INSTANTIATE_TEST_SUITE_P(Modes, SharedSessionStressTest, testing::Values("Local", "Direct"),
                         [](const auto& mode) { return std::string(mode.param); });

TEST_P(SharedSessionStressTest, CallsOfAllThreadsAddUpExactly) {
  const ServerThread server({Where()}, Record());
  const SessionKey key = SessionKey::Random();
  const auto options = [&key] {
    ClientOptions made;
    made.session = key;
    return made;
  };
  const uint64_t calls = GetParam()[0] == 'D' ? kCalls / 10 : kCalls;
  BlockingClient first(Where(), options());
  auto made = stress::StressClient(first).Make().Sync();
  ASSERT_TRUE(made) << made.error();
  auto object = made->takeObject();
  ASSERT_TRUE(object) << object.error();

  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      BlockingClient client(Where(), options());
      stress::CountedClient counted(object->On(client));
      for (uint64_t call = 0; call < calls; ++call) {
        auto add = counted.Add();
        add->setAmount(1);
        auto reply = add.Sync();
        ASSERT_TRUE(reply) << reply.error();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto total = stress::CountedClient(*object).Add().Sync();
  ASSERT_TRUE(total) << total.error();
  EXPECT_EQ(total->getTotal(), kThreads * calls);
}

}  // namespace
}  // namespace lwmsg::test
