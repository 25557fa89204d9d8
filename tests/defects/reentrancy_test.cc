#include <uv.h>

#include "tests/hostile/raw_frames.h"
#include "tests/hostile/raw_peer.h"
#include "tests/runtime/server_fixture.h"

// What a review of this library found: objects that go inside their own callbacks, and what nobody
// waits for any more.
namespace lwmsg::test {
namespace {

class Reentrancy : public ServerTest {
 protected:
  // With a constructor of sessions.
  void ServeWith(ServerOptions options) {
    server_.emplace(loop_, std::move(options));
    ASSERT_EQ(server_->Serve(sample_), Status());
    ASSERT_EQ(server_->Listen(folder_.Endpoint()), Status());
  }
};

TEST_F(Reentrancy, ServerGoesWhenACallIsCancelledByTheEndOfItsAssociation) {
  ServeAndListen();
  Peer& peer = NewPeer();
  sample_.on_keep = [this] { sample_.kept.back().OnCancel([this] { server_.reset(); }); };
  sample::SampleClient(*peer.client).Keep().Send([](auto) {});
  RunUntil([this] { return sample_.kept.size() == 1; });
  peer.client.reset();
  RunUntil([this] { return !server_; });
}

TEST_F(Reentrancy, ServerGoesInsideTheConstructorOfASession) {
  std::string seen;
  ServerOptions options;
  options.on_session = [this, &seen,
                        text = std::string("a text that is not short")](NewSession session) {
    server_.reset();
    seen = text;  // The function is there for as long as it runs.
    session.Accept();
  };
  ServeWith(std::move(options));
  EXPECT_EQ(CallAnew().code(), StatusCode::kUnavailable);
  EXPECT_EQ(seen, "a text that is not short");
}

TEST_F(Reentrancy, ServerThatStopsInsideTheConstructorOfASessionKeepsNoSession) {
  std::weak_ptr<Caller> data;
  ServerOptions options;
  options.on_session = [this, &data](NewSession session) {
    server_->Stop();
    auto made = std::make_shared<Caller>();
    data = made;
    session.Accept(std::move(made));
  };
  ServeWith(std::move(options));
  EXPECT_EQ(CallAnew().code(), StatusCode::kUnavailable);
  RunUntil([this] { return server_->association_count() == 0; });
  EXPECT_TRUE(data.expired());
}

TEST_F(Reentrancy, ClientThatGoesWhileItsSessionIsBeingMadeKeepsNoLoopBusy) {
  std::optional<NewSession> asked;
  ServerOptions options;
  options.on_session = [&asked](NewSession session) { asked.emplace(std::move(session)); };
  ServeWith(std::move(options));
  {
    RawPeer peer = RawPeer::ConnectTo(folder_.Endpoint());
    peer.Write(HelloFrame() + CallFrame(0, kLog));
  }
  RunUntil([&asked] { return asked.has_value(); });
  loop_.SetBusyWait(std::chrono::microseconds(0));
  int turns = 0;
  bool over = false;
  Timer end(loop_.impl(), [&over] { over = true; });
  end.ArmAfter(std::chrono::milliseconds(50));
  while (!over) {
    uv_run(loop_.uv(), UV_RUN_ONCE);
    ++turns;
  }
  EXPECT_LT(turns, 20) << "the loop turns without end";
  asked->Accept();
  RunUntil([this] { return server_->association_count() == 0; });
  EXPECT_EQ(sample_.logged.size(), 1U);
}

TEST_F(Reentrancy, ServerGoesWhenItHearsOfAnEnd) {
  std::string seen;
  ServerOptions options;
  options.on_end = [this, &seen, text = std::string("a text that is not short")](const Token&,
                                                                                 const Status&) {
    server_.reset();
    seen = text;
  };
  ServeWith(std::move(options));
  EXPECT_EQ(CallAnew(), Status());
  peers_.back().client.reset();
  RunUntil([this] { return !server_; });
  EXPECT_EQ(seen, "a text that is not short");
}

TEST_F(Reentrancy, ClientGoesWhenItHearsOfItsEnd) {
  ServeAndListen();
  std::string seen;
  std::optional<Client> client;
  ClientOptions options;
  options.on_end = [&client, &seen, text = std::string("a text that is not short")](const Status&) {
    client.reset();
    seen = text;
  };
  client.emplace(loop_, folder_.Endpoint(), std::move(options));
  client->Connect();
  RunUntil([this] { return server_->association_count() == 1; });
  server_->Stop();
  RunUntil([&client] { return !client; });
  EXPECT_EQ(seen, "a text that is not short");
}

TEST_F(Reentrancy, ObjectsInAReplyThatNobodyWaitsForAreLetGoOf) {
  ServeAndListen();
  Peer& peer = NewPeer();
  ASSERT_EQ(Call(peer), Status());
  std::optional<Status> status;
  auto pending = sample::SampleClient(*peer.client).Make().Send([&status](auto reply) {
    status = reply ? Status() : reply.error();
  });
  pending.Cancel();
  RunUntil([&status] { return status.has_value(); });
  EXPECT_EQ(status->code(), StatusCode::kCancelled);
  EXPECT_EQ(Call(peer), Status());  // Its reply comes behind the late one.
  EXPECT_EQ(Call(peer), Status());  // And this behind the release.
  EXPECT_EQ(peer.client->State().session_objects, 0U);
  EXPECT_EQ(server_->State().associations.at(0).session_objects, 0U);
  EXPECT_TRUE(sample_.made.expired());
}

TEST_F(Reentrancy, SmallCallsForLargeRepliesInOneTurnTakeNoMoreMemoryThanTheLimit) {
  Limits limits;
  limits.max_queued_bytes = 4 << 20;
  ServeAndListen(limits);
  RawPeer peer = RawPeer::ConnectTo(folder_.Endpoint());
  constexpr uint32_t kCalls = 60;
  constexpr uint32_t kReplyBytes = 1'000'000;
  std::string frames = HelloFrame();
  for (uint32_t id = 1; id <= kCalls; ++id) {
    frames += CallFrame(id, kBlob, [](auto params) {
      params.template initAs<sample::Sample::BlobParams>().setSize(kReplyBytes);
    });
  }
  peer.Write(frames);
  RunUntil([this] { return !ends_.empty(); });
  EXPECT_EQ(ends_[0].code(), StatusCode::kResourceExhausted) << ends_[0];
  const size_t handled = Logged(LogLevel::kTrace, "call begins: incoming Sample.blob");
  EXPECT_LE(handled, limits.max_queued_bytes / kReplyBytes + 2);
}

}  // namespace
}  // namespace lwmsg::test
