#include "tests/multiprocess/fixture.h"

// Processes that are killed in the middle of everything.
namespace lwmsg::test {
namespace {

class DeathTest : public MultiprocessTest {};

TEST_F(DeathTest, OfTheServerEndsEachOutstandingCall) {
  Process server("serve", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "ready");
  Loop loop;
  Client client(loop, folder_.Endpoint());
  std::vector<Status> ended;
  for (int i = 0; i < 5; ++i) {
    sample::SampleClient(client).Keep().Send([&](auto reply) { ended.push_back(reply.error()); });
  }
  bool answered = false;  // By a server that has read all calls before this one.
  sample::SampleClient(client).Nothing().Send([&](auto reply) { answered = reply.has_value(); });
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return answered; }));
  EXPECT_TRUE(ended.empty());
  server.Kill();
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return ended.size() == 5; }));
  for (const Status& status : ended) EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
}

TEST_F(DeathTest, OfTheServerEndsABlockingCall) {
  Process server("serve", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process client("keep", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "kept");
  server.Kill();
  EXPECT_THAT(client.ReadLine(), testing::StartsWith("ended unavailable: "));
  EXPECT_EQ(client.Wait(), 0);
}

TEST_F(DeathTest, OfAClientCancelsItsCallsAndLeavesOthersAlone) {
  Process server("serve", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "ready");
  BlockingClient other(folder_.Endpoint());
  ASSERT_TRUE(sample::SampleClient(other).Nothing().Sync());
  Process client("keep", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "kept");
  client.Kill();
  EXPECT_EQ(server.ReadLine(), "cancelled");
  EXPECT_TRUE(sample::SampleClient(other).Nothing().Sync());
  EXPECT_EQ(CallNothing(), Status());
}

TEST_F(DeathTest, OfAChildOnAPairEndsTheCall) {
  auto child = SpawnWithPair({OwnPath(), "--role=serve-pair"});
  ASSERT_TRUE(child) << child.error();
  const Reaper reaper(child->pid);
  Loop loop;
  Client client(loop, std::move(child->channel));
  std::optional<Status> ended;
  sample::SampleClient(client).Keep().Send([&](auto reply) { ended = reply.error(); });
  bool answered = false;
  sample::SampleClient(client).Nothing().Send([&](auto reply) { answered = reply.has_value(); });
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return answered; }));
  reaper.Kill();
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return ended.has_value(); }));
  EXPECT_EQ(ended->code(), StatusCode::kUnavailable) << *ended;
}

TEST_F(DeathTest, SocketFileOfAKilledServerIsReplacedByTheNext) {
  for (int round = 0; round < 5; ++round) {
    Process server("serve", {EndpointArgument()});
    ASSERT_EQ(server.ReadLine(), "ready");
    EXPECT_EQ(CallNothing(), Status());
    server.Kill();
    server.Wait();
    EXPECT_EQ(CallNothing().code(), StatusCode::kUnavailable);
  }
}

}  // namespace
}  // namespace lwmsg::test
