#include <gmock/gmock.h>

#include <mutex>
#include <vector>

#include "tests/conformance/mode.h"

// LWMsg's client_server tests 15 to 28.
namespace lwmsg::test {
namespace {

using ::testing::ElementsAre;

class ClientServer : public ModeTest {};
INSTANTIATE_TEST_SUITE_P(Conformance, ClientServer,
                         ::testing::Values(Mode::kLocal, Mode::kDirect, Mode::kPair), ModeName);

// Those that need an endpoint to come back to.
class ClientServerEndpoint : public ModeTest {
 protected:
  std::unique_ptr<BlockingClient> NewReconnectingClient() {
    ClientOptions options;
    options.reconnect = Reconnect::kOnNextCall;
    return NewBlockingClient(std::move(options));
  }
};
INSTANTIATE_TEST_SUITE_P(Conformance, ClientServerEndpoint,
                         ::testing::Values(Mode::kLocal, Mode::kDirect), ModeName);

TEST_P(ClientServer, C15_Ping) {
  Start();
  auto client = NewBlockingClient();
  EXPECT_EQ(Ping(*client), Status());
}

// Pings until the client has noticed that its connection is gone, at most once in vain: the end may
// come behind the call.
Status PingAgain(const BlockingClient& client) {
  auto ping = [&client] { return conformance::TargetClient(client).Ping().Sync(); };
  auto reply = ping();
  if (!reply && reply.error().code() == StatusCode::kUnavailable) reply = ping();
  return reply ? Status() : reply.error();
}

// Differs: a client comes back only where that was asked for (Reconnect::kOnNextCall), and a call
// that the stop overtakes fails, as nothing is sent twice.
TEST_P(ClientServerEndpoint, C17_CallRestartCall) {
  Start();
  auto client = NewReconnectingClient();
  ASSERT_EQ(Ping(*client), Status());
  host_->Stop();
  ASSERT_TRUE(host_->Listen(Endpoint()).ok());
  EXPECT_EQ(PingAgain(*client), Status());
  host_->Replace();
  ASSERT_TRUE(host_->Listen(Endpoint()).ok());
  EXPECT_EQ(PingAgain(*client), Status());
}

TEST_P(ClientServerEndpoint, C19_CallReconnectCall) {
  Start();
  auto client = NewReconnectingClient();
  ASSERT_EQ(Ping(*client), Status());
  client->Close();
  EXPECT_EQ(Ping(*client), Status());
  auto other = NewBlockingClient();
  ASSERT_EQ(Ping(*other), Status());
  other->Close();
  EXPECT_EQ(Ping(*other).code(), StatusCode::kUnavailable) << "nobody asked for it to come back";
}

TEST_P(ClientServerEndpoint, C21_CallFailStartCall) {
  MakeHost();
  auto client = NewReconnectingClient();
  EXPECT_EQ(Ping(*client).code(), StatusCode::kUnavailable);
  ASSERT_TRUE(host_->Listen(Endpoint()).ok());
  EXPECT_EQ(Ping(*client), Status());
}

TEST_P(ClientServerEndpoint, C23_CallShutdownCallFail) {
  Start();
  auto client = NewBlockingClient();
  auto reconnecting = NewReconnectingClient();
  ASSERT_EQ(Ping(*client), Status());
  ASSERT_EQ(Ping(*reconnecting), Status());
  host_->Stop();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Ping(*client).code(), StatusCode::kUnavailable);
    EXPECT_EQ(Ping(*reconnecting).code(), StatusCode::kUnavailable);
  }
}

TEST_P(ClientServer, C25_Callback) {
  Start();
  auto client = NewBlockingClient();
  const auto listener = std::make_shared<Listener>();
  auto call_back = conformance::TargetClient(*client).CallBack();
  ASSERT_TRUE(call_back->setListener(listener).ok());
  call_back->setRounds(5);
  auto reply = call_back.Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->getSum(), 2U * (1 + 2 + 3 + 4 + 5));
  EXPECT_THAT(listener->notified, ElementsAre(1, 2, 3, 4, 5));
}

// Remembers what it sees, of both sides and on their threads.
class Tracer final : public CallWatcher {
 public:
  void OnBegin(const CallInfo& call) override { Add("begin", call); }
  void OnEnd(const CallInfo& call, const Status& status,
             std::chrono::nanoseconds /*duration*/) override {
    Add("end " + status.ToString(), call);
  }
  std::vector<std::string> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void Add(const std::string& what, const CallInfo& call) {
    const std::string way =
        call.direction == CallDirection::kIncoming ? " incoming " : " outgoing ";
    const std::lock_guard lock(mutex_);
    seen_.push_back(what + way + call.name());
  }

  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
};

TEST_P(ClientServer, C27_Tracing) {
  const auto served = std::make_shared<Tracer>();
  const auto called = std::make_shared<Tracer>();
  Start([served] { return ServerOptions{.watcher = served}; });
  auto client = NewBlockingClient(ClientOptions{.watcher = called});
  Listener listener;
  ASSERT_TRUE(client->Serve(listener).ok());
  auto call_back = conformance::TargetClient(*client).CallBack();
  call_back->setRounds(1);
  ASSERT_TRUE(call_back.Sync());
  // The end of the server's call is seen before its reply leaves, or on its own thread after that.
  host_->Run([](Server&) {});
  EXPECT_THAT(called->seen(),
              ElementsAre("begin outgoing Target.callBack", "begin incoming Listener.notify",
                          "end ok incoming Listener.notify", "end ok outgoing Target.callBack"));
  EXPECT_THAT(served->seen(),
              ElementsAre("begin incoming Target.callBack", "begin outgoing Listener.notify",
                          "end ok outgoing Listener.notify", "end ok incoming Target.callBack"));
}

}  // namespace
}  // namespace lwmsg::test
