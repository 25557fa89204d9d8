#include "tests/runtime/server_fixture.h"

// What a server tells its operator: the log and the state.
namespace lwmsg::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class ServerLogTest : public ServerTest {};

TEST_F(ServerLogTest, PeersAreLoggedFromConnectingToTheirEnd) {
  ServeAndListen();
  EXPECT_EQ(Logged(LogLevel::kInfo, "listening at " + folder_.Endpoint()), 1U);
  Peer& peer = NewPeer();
  ASSERT_EQ(Call(peer), Status());
  const std::string token = "pid=" + std::to_string(OwnProcessId());
  EXPECT_EQ(Logged(LogLevel::kInfo, "peer connected: euid="), 1U);
  EXPECT_EQ(Logged(LogLevel::kInfo, token), 1U);
  peer.client->Close();
  RunUntil([&] { return server_->association_count() == 0; });
  EXPECT_EQ(Logged(LogLevel::kInfo, "the peer closed the association"), 1U);
  EXPECT_EQ(Logged(LogLevel::kWarning, ""), 0U);
}

TEST_F(ServerLogTest, CallThatIsRefusedIsLoggedWithWhyAndWhose) {
  ServerOptions options;
  options.log =
      Log([this](LogLevel at, std::string_view line) { log_.push_back({at, std::string(line)}); });
  Server empty(loop_, std::move(options));
  ASSERT_TRUE(empty.Listen(folder_.Endpoint("empty")).ok());
  EXPECT_EQ(Call(NewPeer(folder_.Endpoint("empty"))).code(), StatusCode::kUnimplemented);
  EXPECT_EQ(Logged(LogLevel::kWarning, "pid=" + std::to_string(OwnProcessId())), 1U);
  EXPECT_EQ(Logged(LogLevel::kWarning, "is not served here"), 1U);
}

TEST_F(ServerLogTest, ClientLogsItsServer) {
  ServeAndListen();
  std::vector<std::string> lines;
  ClientOptions options;
  options.log = Log([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  Client client(loop_, folder_.Endpoint(), std::move(options));
  bool answered = false;
  sample::SampleClient(client).Nothing().Send([&](auto) { answered = true; });
  RunUntil([&] { return answered; });
  server_->Stop();
  RunUntil([&] { return lines.size() == 2; });
  EXPECT_THAT(lines, ElementsAre(HasSubstr("peer connected: "),
                                 HasSubstr("the peer closed the association")));
}

TEST_F(ServerLogTest, StateTellsWhatEachPeerIsWaitingFor) {
  ServeAndListen();
  Peer& peer = NewPeer();
  std::vector<decltype(sample::SampleClient(*peer.client).Make().Sync())> objects;
  for (int i = 0; i < 2; ++i) {
    sample::SampleClient(*peer.client).Make().Send([&](auto reply) {
      objects.push_back(std::move(reply));  // Holds its name.
    });
  }
  auto pending = sample::SampleClient(*peer.client).Keep().Send([](auto) {});
  RunUntil([&] { return sample_.kept.size() == 1; });
  sample::ListenerClient(sample_.kept[0].channel()).Notify().Send([](auto) {});
  pending.Cancel();
  RunUntil([&] { return sample_.kept[0].cancelled(); });
  const ServerState state = server_->State();
  ASSERT_EQ(state.associations.size(), 1U);
  const AssociationState& association = state.associations[0];
  EXPECT_EQ(association.peer.pid(), OwnProcessId());
  EXPECT_EQ(association.phase, "open");
  EXPECT_EQ(association.session_objects, 2U);
  EXPECT_EQ(association.queued_bytes, 0U);
  ASSERT_EQ(association.incoming.size(), 1U);
  EXPECT_EQ(association.incoming[0].name, "Sample.keep");
  EXPECT_NE(association.incoming[0].id, 0U);
  EXPECT_TRUE(association.incoming[0].cancelled);
  EXPECT_LE(association.incoming[0].age, association.age);
  EXPECT_LE(association.idle, association.age);
  sample_.kept.clear();
}

TEST_F(ServerLogTest, StateCountsCallsOfTheServer) {
  ServeAndListen();
  Peer& peer = NewPeer();
  sample::SampleClient(*peer.client).Keep().Send([](auto) {});
  RunUntil([&] { return sample_.kept.size() == 1; });
  sample::ListenerClient(sample_.kept[0].channel()).Notify().Send([](auto) {});
  const ServerState state = server_->State();
  ASSERT_EQ(state.associations.size(), 1U);
  ASSERT_EQ(state.associations[0].outgoing.size(), 1U);
  EXPECT_EQ(state.associations[0].outgoing[0].name, "Listener.notify");
  EXPECT_GT(state.associations[0].queued_bytes, 0U) << "the turn has not ended";
  sample_.kept.clear();
}

TEST(ServerStateTest, TextSaysAllOfIt) {
  ServerState state;
  state.listeners = {{"unix:/run/a", true}};
  state.client_waits = true;
  AssociationState association;
  association.phase = "open";
  association.age = std::chrono::milliseconds(70);
  association.idle = std::chrono::milliseconds(30);
  association.queued_bytes = 12;
  association.session_objects = 3;
  association.incoming = {{"A.b", 65536, std::chrono::milliseconds(20), true}};
  association.outgoing = {{"C.d", 65537, std::chrono::milliseconds(10), false}};
  state.associations = {association};
  state.limit_hits = {{"max_calls", 4}};
  EXPECT_EQ(ToString(state),
            "1 listeners\n"
            "  unix:/run/a, held: no place for a client\n"
            "1 associations, a client waits\n"
            "Limits::max_calls hit 4 times\n"
            "  open with " +
                Token().ToString() +
                ", age 70 ms, idle 30 ms, 12 bytes queued, 3 session objects\n"
                "    incoming A.b, id 65536, age 20 ms, cancelled\n"
                "    outgoing C.d, id 65537, age 10 ms\n");
}

}  // namespace
}  // namespace lwmsg::test
