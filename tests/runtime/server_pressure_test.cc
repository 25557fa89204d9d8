#include "tests/runtime/server_pressure_fixture.h"
#include "tests/support/system.h"

// A server with no place for another client.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr milliseconds kLong = std::chrono::hours(1);

Limits Places(uint32_t places, milliseconds idle_timeout) {
  Limits limits;
  limits.max_associations = places;
  limits.idle_timeout = idle_timeout;
  return limits;
}

TEST_F(ServerPressureTest, TwiceAsManyClientsAsPlacesAreAllServed) {
  ServeAndListen(Places(64, milliseconds(1)));
  for (int i = 0; i < 128; ++i) {
    ASSERT_EQ(CallAnew(), Status()) << i;
    ASSERT_LE(Connected(), 64U);
  }
  EXPECT_EQ(ends_.size(), 64U) << "one is evicted for each that came in, and no other";
}

TEST_F(ServerPressureTest, ClientWaitsUntilAPlaceIsFree) {
  ServeAndListen(Places(2, kLong));
  Peer& first = NewPeer();
  Peer& second = NewPeer();
  ASSERT_EQ(Call(first), Status());
  ASSERT_EQ(Call(second), Status());
  Peer& third = NewPeer();
  Send(third);
  RunUntilOneWaits();
  EXPECT_EQ(Call(first), Status());
  EXPECT_FALSE(third.call);
  EXPECT_EQ(Connected(), 2U);
  second.client->Close();
  RunUntil([&] { return third.call.has_value(); });
  EXPECT_EQ(third.call, Status());
  EXPECT_FALSE(first.end);
  EXPECT_FALSE(server_->State().client_waits);
}

TEST_F(ServerPressureTest, OneThatIsIdleLongestMakesRoom) {
  ServeAndListen(Places(3, milliseconds(30)));
  std::vector<Peer*> peers = {&NewPeer(), &NewPeer(), &NewPeer()};
  for (Peer* peer : {peers[1], peers[0], peers[2]}) {
    ASSERT_EQ(Call(*peer), Status());
    LetTimePass();
  }
  EXPECT_EQ(CallAnew(), Status());
  RunUntil([&] { return peers[1]->end.has_value(); });
  EXPECT_EQ(peers[1]->end->code(), StatusCode::kUnavailable);
  EXPECT_THAT(peers[1]->end->message(),
              AllOf(HasSubstr("evicted after "), HasSubstr(" ms idle"), HasSubstr("make room"),
                    HasSubstr("Limits::max_associations"), HasSubstr("connect again")));
  EXPECT_FALSE(peers[0]->end);
  EXPECT_FALSE(peers[2]->end);
  EXPECT_EQ(ends_.size(), 1U);
}

TEST_F(ServerPressureTest, BlockingClientThatWasEvictedHearsWhyWithItsNextCall) {
  ServeAndListen(Places(1, milliseconds(1)));
  BlockingClient evicted(folder_.Endpoint());
  ASSERT_TRUE(sample::SampleClient(evicted).Log().Send().ok());
  RunUntil([&] { return sample_.logged.size() == 1; });
  ASSERT_EQ(CallAnew(), Status());
  auto reply = sample::SampleClient(evicted).Nothing().Sync();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), StatusCode::kUnavailable);
  EXPECT_THAT(reply.error().message(), HasSubstr("evicted after "));
}

TEST_F(ServerPressureTest, NobodyIsEvictedWhileThereIsAPlace) {
  ServeAndListen(Places(3, milliseconds(1)));
  Peer& first = NewPeer();
  Peer& second = NewPeer();
  ASSERT_EQ(Call(first), Status());
  RunFor(milliseconds(20));
  ASSERT_EQ(Call(second), Status());
  RunFor(milliseconds(20));
  EXPECT_EQ(Connected(), 2U);
  EXPECT_TRUE(ends_.empty());
}

TEST_F(ServerPressureTest, FullServerEvictsNobodyUntilAClientWaits) {
  ServeAndListen(Places(2, milliseconds(1)));
  ASSERT_EQ(CallAnew(), Status());
  ASSERT_EQ(CallAnew(), Status());
  RunFor(milliseconds(30));
  EXPECT_EQ(Connected(), 2U);
  EXPECT_TRUE(ends_.empty());
}

TEST_F(ServerPressureTest, EvictionWaitsForTheIdleTimeout) {
  ServeAndListen(Places(1, milliseconds(60)));
  Peer& first = NewPeer();
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(Call(first), Status());
  EXPECT_EQ(CallAnew(), Status());
  // The loop's clock counts whole milliseconds.
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(59));
  EXPECT_EQ(ends_.size(), 1U);
}

TEST_F(ServerPressureTest, CallsInHandAreNeverEvicted) {
  ServeAndListen(Places(1, milliseconds(1)));
  Peer& first = NewPeer();
  SendKeep(first);
  Peer& second = NewPeer();
  Send(second);
  RunUntilOneWaits();
  RunFor(milliseconds(30));
  EXPECT_FALSE(second.call);
  EXPECT_FALSE(first.end);
  sample_.kept[0].Reply();
  RunUntil([&] { return second.call.has_value(); });
  EXPECT_EQ(first.call, Status()) << "answered before it made room";
  EXPECT_EQ(second.call, Status());
}

TEST_F(ServerPressureTest, CallOfTheServerInHandIsNeverEvicted) {
  // The client's Listener keeps the server's call.
  class Keeper final : public sample::ListenerService {
   public:
    void Notify(NotifyCall call) override { kept.push_back(std::move(call)); }
    std::vector<NotifyCall> kept;
  };
  Keeper keeper;
  ServeAndListen(Places(1, milliseconds(1)));
  Peer& first = NewPeer();
  ASSERT_TRUE(first.client->Serve(keeper).ok());
  SendKeep(first);
  sample::ListenerClient(sample_.kept[0].channel()).Notify().Send([](auto) {});
  sample_.kept[0].Reply();
  RunUntil([&] { return keeper.kept.size() == 1 && first.call.has_value(); });
  Peer& second = NewPeer();
  Send(second);
  RunUntilOneWaits();
  RunFor(milliseconds(30));
  EXPECT_FALSE(second.call);
  EXPECT_FALSE(first.end);
  keeper.kept[0].Reply();
  RunUntil([&] { return second.call.has_value(); });
  EXPECT_EQ(second.call, Status());
  keeper.kept.clear();
  sample_.kept.clear();
}

TEST_F(ServerPressureTest, SessionObjectsAreNeverEvicted) {
  ServeAndListen(Places(2, milliseconds(1)));
  Peer& with_object = NewPeer();
  auto make = sample::SampleClient(*with_object.client).Make();
  std::optional<decltype(make.Sync())> object;  // Holds its name.
  make.Send([&](auto reply) { object = std::move(reply); });
  RunUntil([&] { return object && *object; });
  LetTimePass();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(CallAnew(), Status());
  EXPECT_FALSE(with_object.end);
  EXPECT_EQ(ends_.size(), 4U);
}

TEST_F(ServerPressureTest, PeerThatWasAdoptedBeyondTheLimitIsTold) {
  Serve(Places(1, kLong));
  auto pair = MakePairHere();
  auto second_pair = MakePairHere();
  ASSERT_TRUE(server_->Adopt(std::move(pair->first)).ok());
  ASSERT_TRUE(server_->Adopt(std::move(second_pair->first)).ok());
  EXPECT_EQ(Call(NewPeer(std::move(pair->second))), Status());
  const Status refused = Call(NewPeer(std::move(second_pair->second)));
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("1 associations, Limits::max_associations"),
                                       HasSubstr("try again later")));
}

TEST_F(ServerPressureTest, ListenersTakeTurns) {
  Serve(Places(1, milliseconds(1)));
  const std::vector<std::string> endpoints = {folder_.Endpoint("a"), folder_.Endpoint("b")};
  for (const std::string& endpoint : endpoints) ASSERT_TRUE(server_->Listen(endpoint).ok());
  // All wait at once: those at `b` must not wait for all those at `a`.
  std::vector<Peer*> at_a;
  std::vector<Peer*> at_b;
  for (int i = 0; i < 10; ++i) {
    at_a.push_back(&NewPeer(endpoints[0]));
    at_b.push_back(&NewPeer(endpoints[1]));
  }
  for (Peer* peer : at_a) Send(*peer);
  for (Peer* peer : at_b) Send(*peer);
  const auto answered = [](const std::vector<Peer*>& peers) {
    return std::count_if(peers.begin(), peers.end(), [](Peer* p) { return p->call.has_value(); });
  };
  RunUntil([&] { return answered(at_b) == 3; });
  EXPECT_LE(answered(at_a), 5);
  RunUntil([&] { return answered(at_a) + answered(at_b) == 20; });
}

TEST_F(ServerPressureTest, ServerThatStopsWhileAClientWaitsListensAgain) {
  ServeAndListen(Places(1, kLong));
  Peer& first = NewPeer();
  ASSERT_EQ(Call(first), Status());
  Peer& second = NewPeer();
  Send(second);
  RunUntilOneWaits();
  server_->Stop();
  RunUntil([&] { return second.call.has_value(); });
  EXPECT_EQ(second.call->code(), StatusCode::kUnavailable);
  ASSERT_TRUE(server_->Listen(folder_.Endpoint()).ok());
  EXPECT_EQ(CallAnew(), Status());
}

TEST_F(ServerPressureTest, PauseAndEvictionAreLogged) {
  ServeAndListen(Places(1, milliseconds(1)));
  ASSERT_EQ(CallAnew(), Status());
  EXPECT_EQ(Logged(LogLevel::kWarning, "listening pauses"), 1U);
  ASSERT_EQ(CallAnew(), Status());
  EXPECT_EQ(Logged(LogLevel::kInfo, "evicted after"), 1U);
  EXPECT_EQ(Logged(LogLevel::kInfo, "listening goes on"), 1U);
}

}  // namespace
}  // namespace lwmsg::test
