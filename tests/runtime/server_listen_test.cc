#include "tests/runtime/server_fixture.h"

// The endpoints of one server, together and one after the other.
namespace lwmsg::test {
namespace {

using ::testing::HasSubstr;

TEST_F(ServerListenTest, OneEndpointCannotBeListenedAtTwice) {
  Serve();
  for (const std::string& endpoint : EndpointsIn(folder_.path())) {
    ASSERT_TRUE(server_->Listen(endpoint).ok());
    const Status twice = server_->Listen(endpoint);
    EXPECT_EQ(twice.code(), StatusCode::kAlreadyExists) << twice;
    EXPECT_THAT(twice.message(), HasSubstr(endpoint));
    EXPECT_EQ(Call(NewPeer(endpoint)), Status()) << "the first goes on";
  }
}

TEST_F(ServerListenTest, StoppedServerListensAgainAtAllItsEndpoints) {
  Serve();
  for (int round = 0; round < 3; ++round) {
    for (const std::string& endpoint : EndpointsIn(folder_.path())) {
      const Status listening = server_->Listen(endpoint);
      ASSERT_TRUE(listening.ok()) << listening;
      EXPECT_EQ(Call(NewPeer(endpoint)), Status());
    }
    // At once, while the goodbyes are still on their way.
    server_->Stop();
    EXPECT_TRUE(server_->State().listeners.empty());
  }
}

TEST_F(ServerListenTest, DrainedServerListensAgain) {
  ServeAndListen();
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(CallAnew(), Status());
    bool drained = false;
    server_->Drain(std::chrono::seconds(20), [&] { drained = true; });
    RunUntil([&] { return drained; });
    EXPECT_FALSE(EndpointExists(folder_.Endpoint())) << "its name is left";
    const Status listening = server_->Listen(folder_.Endpoint());
    ASSERT_TRUE(listening.ok()) << listening;
  }
  EXPECT_EQ(CallAnew(), Status());
}

TEST_F(ServerListenTest, DeadlineOfADrainThatIsOverEndsNobody) {
  ServeAndListen();
  ASSERT_EQ(CallAnew(), Status());
  server_->Drain(std::chrono::milliseconds(30), {});  // Nobody wants to hear of its end.
  RunUntil([&] { return server_->association_count() == 0; });
  ASSERT_TRUE(server_->Listen(folder_.Endpoint()).ok());
  Peer& peer = NewPeer();
  ASSERT_EQ(Call(peer), Status());
  RunFor(std::chrono::milliseconds(50));
  EXPECT_FALSE(peer.end);
}

}  // namespace
}  // namespace lwmsg::test
