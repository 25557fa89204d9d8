#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "runtime/uv_loop.h"
#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {

// A server and its clients on one loop, which the test runs.
class ServerTest : public InventoriedTest {
 protected:
  struct Peer {
    std::unique_ptr<Client> client;
    std::optional<Status> call;  // How its last call ended.
    std::optional<Status> end;   // How the connection ended.
  };
  struct Line {
    LogLevel level;
    std::string text;
  };

  // Makes the server, without an endpoint.
  void Serve(const Limits& limits = {}, LogLevel level = LogLevel::kTrace) {
    ServerOptions options;
    options.limits = limits;
    options.log =
        Log([this](LogLevel at, std::string_view line) { log_.push_back({at, std::string(line)}); },
            level);
    options.on_end = [this](const Token&, const Status& reason) { ends_.push_back(reason); };
    server_.emplace(loop_, std::move(options));
    ASSERT_TRUE(server_->Serve(sample_).ok());
  }
  void ServeAndListen(const Limits& limits = {}) {
    Serve(limits);
    const Status listening = server_->Listen(folder_.Endpoint());
    ASSERT_TRUE(listening.ok()) << listening;
  }

  template <typename Where>
  Peer& NewPeer(Where where) {
    Peer& peer = peers_.emplace_back();
    ClientOptions options;
    options.on_end = [&peer](const Status& reason) { peer.end = reason; };
    peer.client = std::make_unique<Client>(loop_, std::move(where), std::move(options));
    return peer;
  }
  Peer& NewPeer() { return NewPeer<std::string>(folder_.Endpoint()); }

  // Sends a call of Nothing, without waiting for its end.
  static void Send(Peer& peer) {
    peer.call.reset();
    sample::SampleClient(*peer.client).Nothing().Send([&peer](auto reply) {
      peer.call = reply ? Status() : reply.error();
    });
  }
  // How a call of Nothing ends.
  Status Call(Peer& peer) {
    Send(peer);
    RunUntil([&] { return peer.call.has_value(); });
    return peer.call.value_or(Status(StatusCode::kInternal, "no answer"));
  }
  Status CallAnew() { return Call(NewPeer()); }

  // The test fails after 20 seconds.
  void RunUntil(const std::function<bool()>& done) { EXPECT_TRUE(RunLoopUntil(loop_, done)); }
  // Runs for that long.
  void RunFor(std::chrono::milliseconds time) {
    bool over = false;
    Timer timer(loop_.impl(), [&over] { over = true; });
    timer.ArmAfter(time);
    RunUntil([&] { return over; });
  }
  // How many lines of that level have the text.
  size_t Logged(LogLevel level, const std::string& text) const {
    return static_cast<size_t>(std::count_if(log_.begin(), log_.end(), [&](const Line& line) {
      return line.level == level && line.text.find(text) != std::string::npos;
    }));
  }

  TemporaryFolder folder_;
  Loop loop_;
  SampleService sample_;
  std::vector<Line> log_;
  std::vector<Status> ends_;  // Why the server's associations ended.
  std::list<Peer> peers_;
  std::optional<Server> server_;
};

class ServerListenTest : public ServerTest {};

}  // namespace lwmsg::test
