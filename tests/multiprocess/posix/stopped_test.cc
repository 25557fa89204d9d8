#include <signal.h>
#include <uv.h>

#include "tests/multiprocess/posix/fixture.h"

// T60. A server that stands still, and goes on.
namespace lwmsg::test {
namespace {

class StoppedServerTest : public MultiprocessTest {
 protected:
  StoppedServerTest() { EXPECT_EQ(server_.ReadLine(), "ready"); }

  Process server_{"serve", {EndpointArgument()}};
};

TEST_F(StoppedServerTest, CallsEndAtTheirDeadlineAndTheConnectionGoesOnAfterwards) {
  constexpr std::chrono::milliseconds kTimeout{100};
  constexpr int kCalls = 10;
  Loop loop;
  Client client(loop, folder_.Endpoint());
  sample::SampleClient sample(client);
  std::optional<Status> status;
  const auto call = [&] {
    status.reset();
    sample.Nothing().Send([&](auto reply) { status = reply ? Status() : reply.error(); });
    RunLoopUntil(loop, [&] { return status.has_value(); });
    return status;
  };
  ASSERT_EQ(call(), Status());
  kill(static_cast<pid_t>(server_.pid()), SIGSTOP);
  std::vector<Status> ended;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) {
    auto nothing = sample.Nothing();
    nothing.set_timeout(kTimeout);
    nothing.Send([&](auto reply) { ended.push_back(reply ? Status() : reply.error()); });
  }
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return ended.size() == kCalls; }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, kTimeout);
  for (const Status& each : ended) EXPECT_EQ(each.code(), StatusCode::kDeadlineExceeded) << each;
  kill(static_cast<pid_t>(server_.pid()), SIGCONT);
  // Its late replies come before these.
  EXPECT_EQ(call(), Status());
  EXPECT_EQ(call(), Status());
  EXPECT_EQ(ended.size(), kCalls);
}

TEST_F(StoppedServerTest, BlockingCallEndsAtItsDeadlineAndTheNextIsAnswered) {
  BlockingClient client(folder_.Endpoint());
  sample::SampleClient sample(client);
  ASSERT_TRUE(sample.Nothing().Sync());
  kill(static_cast<pid_t>(server_.pid()), SIGSTOP);
  for (int i = 0; i < 3; ++i) {
    auto nothing = sample.Nothing();
    nothing.set_timeout(std::chrono::milliseconds(50));
    const auto reply = nothing.Sync();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), StatusCode::kDeadlineExceeded) << reply.error();
  }
  kill(static_cast<pid_t>(server_.pid()), SIGCONT);
  auto echo = sample.Echo();
  echo->setText("this one");
  const auto reply = echo.Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->getText(), "this one");
}

}  // namespace
}  // namespace lwmsg::test
