#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "runtime/uv_loop.h"
#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {

// Serves Listener on whichever thread calls.
class NotifyService final : public sample::ListenerService {
 public:
  using Function = std::function<void(NotifyCall)>;
  explicit NotifyService(Function function) : function_(std::move(function)) {}
  void Notify(NotifyCall call) override { function_(std::move(call)); }

 private:
  const Function function_;
};

// A server with two loops, of which the test runs the first, with the clients. `here_` is a client
// there; those that come by the socket are all of one process, this one, and go to the other.
class ServerLoopsTest : public InventoriedTest {
 protected:
  struct Peer {
    explicit Peer(Loop& loop, std::string_view where) : client(loop, where, Options(*this)) {}
    Peer(Loop& loop, OsHandle socket) : client(loop, std::move(socket), Options(*this)) {}
    static ClientOptions Options(Peer& peer) {
      ClientOptions options;
      options.on_end = [&peer](const Status& reason) { peer.end = reason; };
      return options;
    }

    std::optional<Status> call;  // How its last call ended.
    std::optional<Status> end;   // How the connection ended.
    Client client;
  };
  struct Kept {
    sample::ListenerService::NotifyCall call;
    std::thread::id thread;
  };

  // With a round other than 0 a call is kept for the test.
  void Serve(ServerOptions options = {}) {
    options.loops = 2;
    server_.emplace(loop_, std::move(options));
    ASSERT_TRUE(server_->Serve(sample_).ok());
    ASSERT_TRUE(server_->Serve(notify_).ok());
    auto pair = MakePair();
    ASSERT_TRUE(pair && server_->Adopt(std::move(pair->first)).ok());
    here_ = &peers_.emplace_back(loop_, std::move(pair->second));
    const Status listening = server_->Listen(folder_.Endpoint());
    ASSERT_TRUE(listening.ok()) << listening;
    ASSERT_EQ(Call(*here_), Status());
  }
  static ServerOptions Places(uint32_t places, std::chrono::milliseconds idle_timeout) {
    ServerOptions options;
    options.limits.max_associations = places;
    options.limits.idle_timeout = idle_timeout;
    return options;
  }

  Peer& NewPeer() { return peers_.emplace_back(loop_, folder_.Endpoint()); }
  static void Send(Peer& peer, uint32_t round = 0) {
    peer.call.reset();
    auto notify = sample::ListenerClient(peer.client).Notify();
    notify->setRound(round);
    notify.Send([&peer](auto reply) { peer.call = reply ? Status() : reply.error(); });
  }
  // How a call ends that is answered at once.
  Status Call(Peer& peer) {
    Send(peer);
    RunUntil([&] { return peer.call.has_value(); });
    return peer.call.value_or(Status(StatusCode::kInternal, "no answer"));
  }
  // Makes a call that is kept.
  Kept& Keep(Peer& peer) {
    const size_t before = kept_.size();
    Send(peer, 1);
    RunUntil([&] { return kept_.size() > before; });
    return kept_.back();
  }

  void RunUntil(const std::function<bool()>& done) { EXPECT_TRUE(RunLoopUntil(loop_, done)); }
  void RunFor(std::chrono::milliseconds time) {
    bool over = false;
    Timer timer(loop_.impl(), [&over] { over = true; });
    timer.ArmAfter(time);
    RunUntil([&] { return over; });
  }
  // So that what follows is later, also for a coarse clock.
  void LetTimePass() { RunFor(std::chrono::milliseconds(5)); }

  TemporaryFolder folder_;
  Loop loop_;
  SampleService sample_;  // Of one loop at a time.
  NotifyService notify_{[this](sample::ListenerService::NotifyCall call) {
    if (call->getRound() == 0) return call.Reply();
    loop_.Post([this, thread = std::this_thread::get_id(), call = std::move(call)]() mutable {
      kept_.push_back({std::move(call), thread});
    });
  }};
  std::list<Kept> kept_;
  std::list<Peer> peers_;
  Peer* here_ = nullptr;
  std::optional<Server> server_;
};

}  // namespace lwmsg::test
