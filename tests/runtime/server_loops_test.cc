#include <condition_variable>
#include <future>
#include <mutex>

#include "tests/runtime/server_loops_fixture.h"

// A server whose associations are on two loops.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr milliseconds kLong = std::chrono::hours(1);

TEST_F(ServerLoopsTest, AssociationsOfAProcessAreOnOneOtherThread) {
  Serve();
  const auto other = Keep(NewPeer()).thread;
  EXPECT_NE(other, std::this_thread::get_id());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Keep(NewPeer()).thread, other);
  EXPECT_EQ(Keep(*here_).thread, std::this_thread::get_id());
  EXPECT_EQ(server_->association_count(), 5U);
}

TEST_F(ServerLoopsTest, DirectAssociationsAreOnTheServersLoop) {
  Serve();
  const std::string endpoint = "direct:" + NewName();
  ASSERT_TRUE(server_->Listen(endpoint).ok());
  EXPECT_NE(Keep(NewPeer()).thread, std::this_thread::get_id());
  EXPECT_EQ(Keep(peers_.emplace_back(loop_, endpoint)).thread, std::this_thread::get_id());
}

TEST_F(ServerLoopsTest, AnswersMayComeFromTheServersThread) {
  Serve();
  Peer& peer = NewPeer();
  Keep(peer).call.Reply();
  RunUntil([&] { return peer.call.has_value(); });
  EXPECT_EQ(peer.call, Status());
}

TEST_F(ServerLoopsTest, ClientsWithOneKeyShareASessionOnAnotherLoop) {
  Serve();
  const SessionKey key = SessionKey::Random();
  ClientOptions with_key;
  with_key.session = key;
  Client first(loop_, folder_.Endpoint(), std::move(with_key));
  ClientOptions with_key_too;
  with_key_too.session = key;
  Client second(loop_, folder_.Endpoint(), std::move(with_key_too));
  std::optional<Handle<sample::Object>> object;
  sample::SampleClient(first).Make().Send([&](auto made) {
    ASSERT_TRUE(made) << made.error();
    object = std::move(*made->takeObject());
  });
  RunUntil([&] { return object.has_value(); });
  std::optional<Status> used;
  auto use = sample::SampleClient(second).Use();
  use->setObject(*object);
  use.Send([&](auto reply) { used = reply ? Status() : reply.error(); });
  RunUntil([&] { return used.has_value(); });
  EXPECT_EQ(used, Status());
}

TEST_F(ServerLoopsTest, ServiceIsOfferedOnAllLoops) {
  ServerOptions options;
  options.loops = 2;
  server_.emplace(loop_, std::move(options));
  auto pair = MakePair();
  ASSERT_TRUE(server_->Adopt(std::move(pair->first)).ok());
  Peer& here = peers_.emplace_back(loop_, std::move(pair->second));
  ASSERT_TRUE(server_->Listen(folder_.Endpoint()).ok());
  Peer& there = NewPeer();
  EXPECT_EQ(Call(here).code(), StatusCode::kUnimplemented);
  EXPECT_EQ(Call(there).code(), StatusCode::kUnimplemented);
  ASSERT_TRUE(server_->Serve(notify_).ok());
  EXPECT_EQ(server_->Serve(notify_).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Call(NewPeer()), Status());
}

TEST_F(ServerLoopsTest, StateAndCountAreOfAllLoops) {
  Serve();
  Keep(*here_);
  Keep(NewPeer());
  Keep(NewPeer());
  const ServerState state = server_->State();
  ASSERT_EQ(state.associations.size(), 3U);
  EXPECT_EQ(server_->association_count(), 3U);
  for (const AssociationState& association : state.associations) {
    ASSERT_EQ(association.incoming.size(), 1U);
    EXPECT_EQ(association.incoming[0].name, "Listener.notify");
  }
}

TEST_F(ServerLoopsTest, LimitIsOfAllLoops) {
  Serve(Places(3, kLong));
  Peer& first = NewPeer();
  Peer& second = NewPeer();
  ASSERT_EQ(Call(first), Status());
  ASSERT_EQ(Call(second), Status());
  Peer& third = NewPeer();
  Send(third);
  RunUntil([&] { return server_->State().client_waits; });
  EXPECT_EQ(server_->association_count(), 3U);
  EXPECT_FALSE(third.call);
  first.client.Close();
  RunUntil([&] { return third.call.has_value(); });
  EXPECT_EQ(third.call, Status());
  // And the other way: a place that is free here is one there.
  Peer& fourth = NewPeer();
  Send(fourth);
  RunUntil([&] { return server_->State().client_waits; });
  here_->client.Close();
  RunUntil([&] { return fourth.call.has_value(); });
  EXPECT_EQ(fourth.call, Status());
  EXPECT_FALSE(second.end);
}

TEST_F(ServerLoopsTest, LongestIdleOfAllLoopsMakesRoom) {
  Serve(Places(3, milliseconds(1)));
  Peer& first = NewPeer();
  Peer& second = NewPeer();
  for (Peer* peer : {&first, here_, &second}) {
    ASSERT_EQ(Call(*peer), Status());
    LetTimePass();
  }
  // `first` is on the other loop, `here_`, which is next, on the server's.
  for (Peer* evicted : {&first, here_}) {
    ASSERT_EQ(Call(NewPeer()), Status());
    RunUntil([&] { return evicted->end.has_value(); });
    EXPECT_THAT(evicted->end->message(),
                AllOf(HasSubstr("evicted after "), HasSubstr("3 associations"),
                      HasSubstr("Limits::max_associations")));
    LetTimePass();
  }
  EXPECT_FALSE(second.end);
  EXPECT_EQ(server_->association_count(), 3U);
}

TEST_F(ServerLoopsTest, EvictionWaitsForTheIdleTimeoutOnAnotherLoop) {
  Serve(Places(2, milliseconds(60)));
  Keep(*here_);
  Peer& first = NewPeer();
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(Call(first), Status());
  EXPECT_EQ(Call(NewPeer()), Status());
  // The loops' clocks count whole milliseconds.
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(58));
  RunUntil([&] { return first.end.has_value(); });
  EXPECT_FALSE(here_->end);
}

TEST_F(ServerLoopsTest, CallsInHandOnAnotherLoopAreNeverEvicted) {
  Serve(Places(2, milliseconds(1)));
  Keep(*here_);
  Peer& first = NewPeer();
  auto& kept = Keep(first);
  Peer& second = NewPeer();
  Send(second);
  RunUntil([&] { return server_->State().client_waits; });
  RunFor(milliseconds(30));
  EXPECT_FALSE(second.call);
  EXPECT_FALSE(first.end);
  kept.call.Reply();
  RunUntil([&] { return second.call.has_value(); });
  EXPECT_EQ(first.call, Status());
  EXPECT_EQ(second.call, Status());
}

TEST_F(ServerLoopsTest, EachOfManyClientsGetsItsPlace) {
  Serve(Places(3, milliseconds(1)));
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(Call(NewPeer()), Status()) << i;
    ASSERT_LE(server_->association_count(), 3U);
  }
}

TEST_F(ServerLoopsTest, StopEndsCallsOnAllLoopsAndTheServerListensAgain) {
  Serve();
  for (int round = 0; round < 3; ++round) {
    Peer& peer = NewPeer();
    Keep(peer);
    server_->Stop();
    RunUntil([&] { return peer.call.has_value() && server_->association_count() == 0; });
    EXPECT_EQ(peer.call->code(), StatusCode::kUnavailable);
    EXPECT_TRUE(kept_.back().call.cancelled());
    ASSERT_TRUE(server_->Listen(folder_.Endpoint()).ok());
    // The first loop gets the next process, unless something is there.
    auto pair = MakePair();
    ASSERT_TRUE(server_->Adopt(std::move(pair->first)).ok());
    ASSERT_EQ(Call(peers_.emplace_back(loop_, std::move(pair->second))), Status());
  }
  EXPECT_TRUE(here_->end);
}

TEST_F(ServerLoopsTest, DrainWaitsForCallsOnAllLoops) {
  Serve();
  Peer& peer = NewPeer();
  auto& there = Keep(peer);
  auto& here = Keep(*here_);
  int drained = 0;
  server_->Drain(kLong, [&] { ++drained; });
  here.call.Reply();
  RunUntil([&] { return here_->call.has_value() && server_->association_count() == 1; });
  EXPECT_EQ(drained, 0);
  there.call.Reply();
  RunUntil([&] { return drained != 0 && peer.call.has_value(); });
  EXPECT_EQ(here_->call, Status());
  EXPECT_EQ(peer.call, Status());
  EXPECT_EQ(server_->association_count(), 0U);
  RunFor(milliseconds(5));
  EXPECT_EQ(drained, 1);
}

TEST_F(ServerLoopsTest, DrainsDeadlineEndsCallsOnAllLoops) {
  Serve();
  Peer& peer = NewPeer();
  Keep(peer);
  Keep(*here_);
  bool drained = false;
  server_->Drain(milliseconds(20), [&] { drained = true; });
  RunUntil([&] { return drained && peer.call.has_value() && here_->call.has_value(); });
  EXPECT_EQ(peer.call->code(), StatusCode::kUnavailable);
  EXPECT_EQ(here_->call->code(), StatusCode::kUnavailable);
}

TEST_F(ServerLoopsTest, LoopDoesNotRunOutWhileAnotherHasAssociations) {
  Serve();
  here_->client.Close();
  Loop loop;
  Client client(loop, folder_.Endpoint());
  bool sent = false;
  bool answered = false;
  auto notify = sample::ListenerClient(client).Notify();
  notify->setRound(1);
  notify.Send([&](auto reply) { answered = reply.has_value(); });
  std::thread thread([&] { EXPECT_TRUE(RunLoopUntil(loop, [&] { return answered; })); });
  RunUntil([&] { return kept_.size() == 1; });
  bool drained = false;
  server_->Drain(kLong, [&] { drained = true; });
  loop_.Post([&] {
    kept_.back().call.Reply();
    sent = true;
  });
  loop_.Run();  // Returns when nothing is left: not before all have ended.
  EXPECT_TRUE(sent);
  EXPECT_TRUE(drained);
  thread.join();
}

TEST_F(ServerLoopsTest, DestructionEndsCallsOnAllLoops) {
  Serve();
  Peer& peer = NewPeer();
  Keep(*here_);
  auto& kept = Keep(peer);
  server_.reset();
  EXPECT_TRUE(kept.call.cancelled());
  kept.call.Reply();  // To nobody.
  RunUntil([&] { return peer.call.has_value() && here_->call.has_value(); });
  EXPECT_EQ(peer.call->code(), StatusCode::kUnavailable);
  EXPECT_EQ(here_->call->code(), StatusCode::kUnavailable);
}

TEST_F(ServerLoopsTest, DestructionWaitsForAHandlerOnAnotherLoop) {
  std::promise<void> entered;
  std::promise<void> may_go;
  bool left = false;  // Written on the other thread.
  NotifyService waiting([&](const sample::ListenerService::NotifyCall& /*call*/) {
    entered.set_value();
    may_go.get_future().wait();
    left = true;
  });
  std::thread caller;
  {
    ServerOptions options;
    options.loops = 2;
    Server server(loop_, std::move(options));
    ASSERT_TRUE(server.Serve(waiting).ok());
    auto pair = MakePair();
    ASSERT_TRUE(server.Adopt(std::move(pair->first)).ok());
    ASSERT_TRUE(server.Listen(folder_.Endpoint()).ok());
    bool is_in = false;
    caller = std::thread([&] {
      BlockingClient client(folder_.Endpoint());
      EXPECT_FALSE(sample::ListenerClient(client).Notify().Sync());
    });
    std::thread watcher([&] {
      entered.get_future().wait();
      loop_.Post([&] { is_in = true; });
    });
    RunUntil([&] { return is_in; });
    watcher.join();
    may_go.set_value();
  }
  EXPECT_TRUE(left);
  caller.join();
}

TEST_F(ServerLoopsTest, DestructionWaitsForABlockingHandlerOfAnotherLoop) {
  std::promise<void> entered;
  bool told = false;
  sample_.on_block = [&](sample::SampleService::BlockCall call) {
    std::promise<void> stopped;
    const std::stop_callback on_stop(call.stop_token(), [&stopped] { stopped.set_value(); });
    entered.set_value();
    stopped.get_future().wait();
    told = true;
    call.Reply();
  };
  Serve();
  Peer& peer = NewPeer();
  sample::SampleClient(peer.client).Block().Send([&peer](auto reply) {
    peer.call = reply ? Status() : reply.error();
  });
  bool is_in = false;
  std::thread watcher([&] {
    entered.get_future().wait();
    loop_.Post([&] { is_in = true; });
  });
  RunUntil([&] { return is_in; });
  watcher.join();
  server_.reset();
  EXPECT_TRUE(told);
  RunUntil([&] { return peer.call.has_value(); });
  EXPECT_EQ(peer.call->code(), StatusCode::kUnavailable);
}

TEST_F(ServerLoopsTest, ServerMayBeDestroyedInAHandlerOnItsLoop) {
  NotifyService ending([this](sample::ListenerService::NotifyCall call) {
    if (call->getRound() == 0) return call.Reply();
    server_.reset();
    call.Reply();
  });
  Serve();
  Peer& peer = NewPeer();
  Keep(peer);
  // Another server on the same loop carries the fatal call.
  Server other(loop_);
  ASSERT_TRUE(other.Serve(ending).ok());
  ASSERT_TRUE(other.Listen(folder_.Endpoint("other")).ok());
  Peer& killer = peers_.emplace_back(loop_, folder_.Endpoint("other"));
  Send(killer, 1);
  RunUntil([&] { return killer.call && peer.call; });
  EXPECT_EQ(killer.call, Status());
  EXPECT_EQ(peer.call->code(), StatusCode::kUnavailable);
}

TEST_F(ServerLoopsTest, ServerMayBeDestroyedInItsOwnHandler) {
  NotifyService ending([this](sample::ListenerService::NotifyCall call) {
    if (call->getRound() == 0) return call.Reply();
    if (call->getRound() == 1) {
      loop_.Post([this, call = std::move(call)]() mutable {
        kept_.push_back({std::move(call), std::thread::id()});
      });
      return;
    }
    server_.reset();
  });
  ServerOptions options;
  options.loops = 2;
  server_.emplace(loop_, std::move(options));
  ASSERT_TRUE(server_->Serve(ending).ok());
  auto pair = MakePair();
  ASSERT_TRUE(server_->Adopt(std::move(pair->first)).ok());
  Peer& here = peers_.emplace_back(loop_, std::move(pair->second));
  ASSERT_TRUE(server_->Listen(folder_.Endpoint()).ok());
  ASSERT_EQ(Call(here), Status());
  Peer& there = NewPeer();
  Keep(there);
  Send(here, 2);
  RunUntil([&] { return here.call && there.call; });
  EXPECT_FALSE(server_.has_value());
  EXPECT_EQ(here.call->code(), StatusCode::kUnavailable);
  EXPECT_EQ(there.call->code(), StatusCode::kUnavailable);
}

TEST_F(ServerLoopsTest, EndsAreToldOnTheLoopOfTheirAssociation) {
  std::promise<std::thread::id> told;
  ServerOptions options;
  options.on_end = [&told](const Token& peer, const Status&) {
    EXPECT_EQ(peer.pid(), OwnProcessId());
    told.set_value(std::this_thread::get_id());
  };
  Serve(std::move(options));
  Peer& peer = NewPeer();
  const auto other = Keep(peer).thread;
  peer.client.Close();
  RunUntil([&] { return server_->association_count() == 1; });
  EXPECT_EQ(told.get_future().get(), other);
  here_->client.Close();
  server_.reset();  // Without telling of those that are left.
}

TEST_F(ServerLoopsTest, SessionsAreMadeOnTheLoopOfTheirAssociation) {
  std::mutex mutex;
  std::vector<std::thread::id> threads;
  ServerOptions options;
  options.on_session = [&](NewSession session) {
    const std::lock_guard lock(mutex);
    threads.push_back(std::this_thread::get_id());
    session.Accept();
  };
  Serve(std::move(options));
  const auto other = Keep(NewPeer()).thread;
  const std::lock_guard lock(mutex);
  EXPECT_THAT(threads, ::testing::ElementsAre(std::this_thread::get_id(), other));
}

TEST_F(ServerLoopsTest, ManyLoopsWithoutAnAssociationEndAtOnce) {
  for (const unsigned loops : {0U, 1U, 2U, 8U}) {
    ServerOptions options;
    options.loops = loops;
    const Server server(loop_, std::move(options));
    EXPECT_EQ(server.association_count(), 0U);
    EXPECT_TRUE(server.State().associations.empty());
  }
}

}  // namespace
}  // namespace lwmsg::test
