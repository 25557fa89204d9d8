#include "tests/hostile/fixture.h"

#include <uv.h>

#include "runtime/uv_loop.h"

namespace lwmsg::test {

testing::AssertionResult Says(const std::optional<Status>& status, StatusCode code,
                              const std::vector<std::string>& parts) {
  if (!status) return testing::AssertionFailure() << "no status came";
  if (status->code() != code) {
    return testing::AssertionFailure() << *status << ", not " << StatusCodeName(code);
  }
  for (const std::string& part : parts) {
    if (status->message().find(part) != std::string::npos) continue;
    return testing::AssertionFailure() << "'" << part << "' is not in: " << *status;
  }
  return testing::AssertionSuccess();
}

uint64_t HitsOf(std::string_view limit) {
  for (const LimitHits& hits : CountLimitHits()) {
    if (hits.name == limit) return hits.count;
  }
  return 0;
}

void HostilePeerTest::Serve(const Limits& limits) {
  ServerOptions options;
  options.limits = limits;
  options.on_end = [this](const Token&, const Status& reason) { ends_.push_back(reason); };
  server_.emplace(loop_, std::move(options));
  ASSERT_TRUE(server_->Serve(sample_).ok());
  const Status listening = server_->Listen(folder_.Endpoint());
  ASSERT_TRUE(listening.ok()) << listening;
  bystander_.emplace(loop_, folder_.Endpoint());
  ASSERT_EQ(Echo(*bystander_), Status());
}

void HostilePeerTest::TearDown() {
  if (!server_) return;
  RunUntil([&] { return AttackersAreGone(); });
  EXPECT_EQ(Echo(*bystander_), Status());
  Client fresh(loop_, folder_.Endpoint());
  EXPECT_EQ(Echo(fresh), Status());
}

RawPeer HostilePeerTest::Connect() {
  std::optional<RawStream> stream = RawStream::ConnectTo(folder_.Endpoint());
  if (!stream) {
    RunUntil([&] {
      if (!stream) stream = RawStream::ConnectTo(folder_.Endpoint());
      return stream.has_value();
    });
  }
  return RawPeer(stream ? *std::move(stream) : RawStream(OsHandle()));
}

RawPeer HostilePeerTest::ConnectAndGreet(const HelloFields& fields) {
  RawPeer peer = Connect();
  peer.Write(HelloFrame(fields));
  return peer;
}

void HostilePeerTest::RunUntil(const std::function<bool()>& done) {
  // Raw peers are no part of the loop: it must not wait for them for long.
  Timer tick(loop_.impl(), [&tick] { tick.ArmAfter(std::chrono::milliseconds(1)); });
  tick.ArmAfter(std::chrono::milliseconds(1));
  ASSERT_TRUE(RunLoopUntil(loop_, done));
}

std::optional<Status> HostilePeerTest::GoodbyeTo(RawPeer& peer) {
  RunUntil([&] {
    peer.Read();
    return peer.ended();
  });
  return peer.Goodbye();
}

std::optional<Status> HostilePeerTest::AnswerTo(RawPeer& peer, uint32_t id) {
  RunUntil([&] {
    peer.Read();
    return peer.ended() || peer.ReplyTo(id).has_value();
  });
  return peer.ReplyTo(id);
}

Status HostilePeerTest::Echo(RawPeer& peer, uint32_t id) {
  peer.Write(EchoFrame(id, "still there"));
  return AnswerTo(peer, id).value_or(Status(StatusCode::kInternal, "no answer"));
}

Status HostilePeerTest::Echo(Client& client) {
  std::optional<Status> status;
  sample::SampleClient(client).Echo().Send(
      [&](auto reply) { status = reply ? Status() : reply.error(); });
  RunUntil([&] { return status.has_value(); });
  return status.value_or(Status(StatusCode::kInternal, "no answer"));
}

}  // namespace lwmsg::test
