#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/conformance/mode.h"
#include "tests/support/system.h"

// What LWMsg's tests did not cover: endpoints, and all connection modes on one server.
namespace lwmsg::test {
namespace {

class EndpointsNotCoveredBefore : public InventoriedTest {
 protected:
  static Status Ping(const BlockingClient& client) {
    auto reply = conformance::TargetClient(client).Ping().Sync();
    return reply ? Status() : reply.error();
  }
  std::string Direct() const { return "direct:" + folder_.path(); }
  std::string Local() const { return folder_.Endpoint(); }
  // "direct:/tmp/x" or "unix:/tmp/x/s", as the server's state has them.
  std::vector<std::string> Listeners(Host& host) {
    std::vector<std::string> endpoints;
    host.Run([&endpoints](Server& server) {
      for (const ListenerState& listener : server.State().listeners) {
        endpoints.push_back(listener.endpoint);
      }
    });
    return endpoints;
  }
  size_t Associations(Host& host) {
    size_t count = 0;
    host.Run([&count](Server& server) { count = server.association_count(); });
    return count;
  }
  // The end of a connection takes some turns of the server's loop.
  void AwaitAssociations(Host& host, size_t count) {
    for (int turn = 0; turn < 100'000 && Associations(host) != count; ++turn) {
    }
    EXPECT_EQ(Associations(host), count);
  }

  TemporaryFolder folder_;
  Target target_;
};

TEST_F(EndpointsNotCoveredBefore, OneServerServesPairLocalAndDirect) {
  Host host(target_);
  ASSERT_TRUE(host.Listen(Local()).ok());
  ASSERT_TRUE(host.Listen(folder_.Endpoint("second")).ok());
  ASSERT_TRUE(host.Listen(Direct()).ok());
  auto pair = MakePairHere();
  ASSERT_TRUE(pair) << pair.error();
  ASSERT_TRUE(host.Adopt(std::move(pair->first)).ok());
  EXPECT_THAT(Listeners(host),
              ::testing::UnorderedElementsAre(Local(), folder_.Endpoint("second"), Direct()));

  std::vector<std::unique_ptr<BlockingClient>> clients;
  clients.push_back(std::make_unique<BlockingClient>(std::move(pair->second)));
  for (const std::string& endpoint : {Local(), folder_.Endpoint("second"), Direct()}) {
    clients.push_back(std::make_unique<BlockingClient>(endpoint));
  }
  // One goes after the other; those that stay are served on.
  while (!clients.empty()) {
    for (const auto& client : clients) {
      EXPECT_EQ(Ping(*client), Status());
      EXPECT_EQ(client->peer().euid(), OwnUser());
    }
    EXPECT_EQ(Associations(host), clients.size());
    clients.erase(clients.begin());
    AwaitAssociations(host, clients.size());
  }
}

TEST_F(EndpointsNotCoveredBefore, LiveServerKeepsItsNames) {
  Host host(target_);
  Host thief(target_);
  for (const std::string& endpoint : {Local(), Direct()}) {
    ASSERT_TRUE(host.Listen(endpoint).ok());
    EXPECT_EQ(thief.Listen(endpoint).code(), StatusCode::kAlreadyExists);
    EXPECT_EQ(host.Listen(endpoint).code(), StatusCode::kAlreadyExists);
    BlockingClient client(endpoint);
    EXPECT_EQ(Ping(client), Status());
  }
  EXPECT_EQ(Associations(thief), 0U);
  host.Stop();
  for (const std::string& endpoint : {Local(), Direct()}) {
    const Status taken = thief.Listen(endpoint);
    EXPECT_TRUE(taken.ok()) << taken;
  }
}

TEST_F(EndpointsNotCoveredBefore, DirectElseLocal) {
  Host host(target_);
  ASSERT_TRUE(host.Listen(Local()).ok());
  auto connect = [this] {
    return std::make_unique<BlockingClient>(Direct() + "," + Local(),
                                            ClientOptions{.reconnect = Reconnect::kOnNextCall});
  };
  auto client = connect();
  EXPECT_EQ(Ping(*client), Status());
  // From now on DIRECT; who is connected stays so.
  Target here;
  Host direct(here);
  ASSERT_TRUE(direct.Listen(Direct()).ok());
  EXPECT_EQ(Ping(*client), Status());
  EXPECT_EQ(Associations(direct), 0U);
  client->Close();
  EXPECT_EQ(Ping(*client), Status());
  EXPECT_EQ(Associations(direct), 1U);
  auto other = connect();
  EXPECT_EQ(Ping(*other), Status());
  EXPECT_EQ(Associations(direct), 2U);
}

TEST_F(EndpointsNotCoveredBefore, NobodyAtAnyOfTheEndpoints) {
  BlockingClient client(Direct() + "," + Local());
  EXPECT_EQ(Ping(client).code(), StatusCode::kUnavailable);
}

// LOCAL: ServerPressureTest.ClientWaitsUntilAPlaceIsFree. DIRECT has no backlog to wait in.
TEST_F(EndpointsNotCoveredBefore, PlaceOfADirectClientThatGoesIsFree) {
  Host host(target_, [] {
    ServerOptions options;
    options.limits.max_associations = 1;
    return options;
  });
  ASSERT_TRUE(host.Listen(Direct()).ok());
  for (int i = 0; i < 3; ++i) {
    {
      BlockingClient client(Direct());
      EXPECT_EQ(Ping(client), Status());
      BlockingClient second(Direct());
      EXPECT_EQ(Ping(second).code(), StatusCode::kResourceExhausted);
      EXPECT_EQ(Ping(client), Status());
    }
    AwaitAssociations(host, 0);
  }
}

}  // namespace
}  // namespace lwmsg::test
