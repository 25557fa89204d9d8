#include "tests/multiprocess/fixture.h"

// Who the kernel says the peer is, between processes.
namespace lwmsg::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(TokensTest, ProcessesOfOneUserSeeEachOther) {
  Process server("serve", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process client("call", {EndpointArgument()});
  EXPECT_THAT(client.ReadLine(),
              AllOf(StartsWith("client "), HasSubstr(" pid=" + client.PidText() + " ")));
  EXPECT_THAT(client.ReadLine(),
              AllOf(StartsWith("server "), HasSubstr(" pid=" + server.PidText() + " ")));
}

TEST_F(TokensTest, ProcessHandleOfTheServerTellsOfItsDeath) {
  Process server("serve", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "ready");
  BlockingClient client(folder_.Endpoint());
  ASSERT_TRUE(sample::SampleClient(client).Nothing().Sync());
  const Token peer = client.peer();
  ASSERT_TRUE(peer.process().valid());
  EXPECT_FALSE(HasEnded(peer.process()));
  server.Kill();
  EXPECT_TRUE(WaitForEnd(peer.process()));
}

TEST_F(TokensTest, ProcessHandleOfTheClientTellsOfItsDeath) {
  Loop loop;
  SampleService service;
  Server server(loop);
  ASSERT_TRUE(server.Serve(service).ok());
  ASSERT_TRUE(server.Listen(folder_.Endpoint()).ok());
  Process client("keep", {EndpointArgument()});
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return !service.kept.empty(); }));
  const Token peer = service.kept[0].peer();
  EXPECT_EQ(peer.pid(), static_cast<uint32_t>(client.pid()));
  ASSERT_TRUE(peer.process().valid());
  EXPECT_FALSE(HasEnded(peer.process()));
  client.Kill();
  EXPECT_TRUE(WaitForEnd(peer.process()));
}

}  // namespace
}  // namespace lwmsg::test
