#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "lwmsg/lwmsg.h"
#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"
#include "tests/support/system.h"

// Servers and clients of every kind in one process, over real sockets.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

// A server on a loop and a thread of its own, for clients that block.
class ServerThread {
 public:
  explicit ServerThread(const std::string& endpoint) {
    std::promise<void> ready;
    thread_ = std::thread([this, endpoint, &ready] {
      Loop loop;
      SampleService sample;
      Server server(loop);
      EXPECT_TRUE(server.Serve(sample).ok());
      const Status listening = server.Listen(endpoint);
      EXPECT_TRUE(listening.ok()) << listening;
      loop_ = &loop;
      ready.set_value();
      loop.Run();
    });
    ready.get_future().wait();
  }
  ~ServerThread() {
    loop_->Stop();
    thread_.join();
  }

 private:
  Loop* loop_ = nullptr;
  std::thread thread_;
};

class ClientServerTest : public InventoriedTest {
 protected:
  std::string Endpoint() const { return folder_.Endpoint(); }
  // Runs the loop until `done`; the test fails after 20 seconds.
  void RunUntil(Loop& loop, const std::function<bool()>& done) {
    ASSERT_TRUE(RunLoopUntil(loop, done));
  }

  TemporaryFolder folder_;
};

TEST_F(ClientServerTest, AClientThatConnectsAgainKeepsNothingOfItsLastConnection) {
  Loop loop;
  SampleService sample;
  ClientOptions options;
  options.reconnect = Reconnect::kOnNextCall;
  int ends = 0;
  options.on_end = [&ends](const Status&) { ++ends; };
  Client client(loop, Endpoint(), std::move(options));
  size_t after_first = 0;
  for (int i = 0; i < 10; ++i) {
    Server server(loop);
    ASSERT_EQ(server.Serve(sample), Status());
    ASSERT_EQ(server.Listen(Endpoint()), Status());
    std::optional<Status> status;
    sample::SampleClient(client).Nothing().Send(
        [&](auto reply) { status = reply ? Status() : reply.error(); });
    RunUntil(loop, [&] { return status.has_value(); });
    ASSERT_EQ(status, Status());
    if (i == 0) after_first = OpenDescriptors().size();
    EXPECT_EQ(OpenDescriptors().size(), after_first);
    server.Stop();
    RunUntil(loop, [&] { return ends == i + 1; });
  }
}

TEST_F(ClientServerTest, BlockingClientCalls) {
  ServerThread server(Endpoint());
  BlockingClient client(Endpoint());
  sample::SampleClient sample(client);
  for (int i = 0; i < 100; ++i) {
    auto echo = sample.Echo();
    echo->setText(std::to_string(i));
    auto reply = echo.Sync();
    ASSERT_TRUE(reply) << reply.error();
    EXPECT_EQ(reply->getText(), std::to_string(i));
  }
  EXPECT_EQ(client.peer().pid(), OwnProcessId());
  EXPECT_EQ(client.peer().euid(), OwnUser());
}

TEST_F(ClientServerTest, ServiceSeesTheToken) {
  ServerThread server(Endpoint());
  BlockingClient client(Endpoint());
  auto reply = sample::SampleClient(client).Whoami().Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->getEuid(), OrMinusOne(OwnUser()));
  EXPECT_EQ(reply->getEgid(), OrMinusOne(OwnGroup()));
  EXPECT_EQ(reply->getPid(), OwnProcessId());
}

TEST_F(ClientServerTest, LargeMessagesAndDescriptorsGoThrough) {
  ServerThread server(Endpoint());
  BlockingClient client(Endpoint());
  sample::SampleClient sample(client);
  auto blob = sample.Blob();
  blob->initData(900'000);
  blob->setSize(1'000'000);
  auto reply = blob.Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->getData().size(), 1'000'000U);
  auto give = sample.Give();
  give->setFirst(FileWith("a"));
  give->setSecond(FileWith("b"));
  EXPECT_EQ(give.Sync()->getContent(), "ab");
}

TEST_F(ClientServerTest, ManyBlockingClientsAtOnce) {
  ServerThread server(Endpoint());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      BlockingClient client(Endpoint());
      for (int i = 0; i < 50; ++i) {
        if (sample::SampleClient(client).Nothing().Sync()) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 8 * 50);
}

TEST_F(ClientServerTest, BlockingClientServesCallsOfItsServer) {
  ServerThread server(Endpoint());
  BlockingClient client(Endpoint());
  ListenerService listener;
  ASSERT_TRUE(client.Serve(listener).ok());
  auto call_back = sample::SampleClient(client).CallBack();
  call_back->setRounds(25);
  auto reply = call_back.Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(listener.count, 25U);
}

TEST_F(ClientServerTest, BlockingClientHonoursItsDeadline) {
  ServerThread server(Endpoint());
  BlockingClient client(Endpoint());
  sample::SampleClient sample(client);
  auto keep = sample.Keep();
  keep.set_timeout(milliseconds(30));
  EXPECT_EQ(keep.Sync().error().code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(sample.Nothing().Sync());
}

TEST_F(ClientServerTest, OneWayCallOfABlockingClientIsSentAtOnce) {
  Loop loop;
  SampleService service;
  Server server(loop);
  ASSERT_TRUE(server.Serve(service).ok());
  ASSERT_TRUE(server.Listen(Endpoint()).ok());
  BlockingClient client(Endpoint());
  auto log = sample::SampleClient(client).Log();
  log->setText("note");
  ASSERT_TRUE(log.Send().ok());
  RunUntil(loop, [&] { return !service.logged.empty(); });
}

TEST_F(ClientServerTest, CallbackClientOnOneLoopWithItsServer) {
  Loop loop;
  SampleService service;
  Server server(loop);
  ASSERT_TRUE(server.Serve(service).ok());
  ASSERT_TRUE(server.Listen(Endpoint()).ok());
  Client client(loop, Endpoint());
  sample::SampleClient sample(client);
  int good = 0;
  for (int i = 0; i < 100; ++i) {
    sample.Nothing().Send([&good](auto reply) { good += reply ? 1 : 0; });
  }
  RunUntil(loop, [&] { return good == 100; });
  client.Close();
  server.Stop();
  loop.Run();  // Ends, as nothing is left.
}

Task CallTwice(sample::SampleClient client, std::string& text) {
  auto first = client.Echo();
  first->setText("again");
  auto reply = co_await first.Send();
  if (!reply) co_return;
  auto second = client.Echo();
  second->setText(reply->getText());
  auto again = co_await second.Send();
  if (again) text = again->getText();
}

TEST_F(ClientServerTest, CoroutineClientOverAPair) {
  Loop loop;
  SampleService service;
  Server server(loop);
  ASSERT_TRUE(server.Serve(service).ok());
  auto pair = MakePairHere();
  ASSERT_TRUE(pair);
  ASSERT_TRUE(server.Adopt(std::move(pair->first)).ok());
  Client client(loop, std::move(pair->second));
  std::string text;
  CallTwice(sample::SampleClient(client), text);
  RunUntil(loop, [&] { return !text.empty(); });
  EXPECT_EQ(text, "again");
  EXPECT_EQ(client.peer().pid(), OwnProcessId());
}

TEST_F(ClientServerTest, HandlerAnswersFromAnotherThreadByPost) {
  Loop loop;
  SampleService service;
  std::thread worker;
  service.on_keep = [&] {
    auto call = std::make_shared<SampleService::KeepCall>(std::move(service.kept[0]));
    worker = std::thread([&loop, call] {
      loop.Post([call] {
        call->results().setText("from a thread");
        call->Reply();
      });
    });
  };
  Server server(loop);
  ASSERT_TRUE(server.Serve(service).ok());
  ASSERT_TRUE(server.Listen(Endpoint()).ok());
  Client client(loop, Endpoint());
  std::string text;
  sample::SampleClient(client).Keep().Send([&](auto reply) { text = reply->getText(); });
  RunUntil(loop, [&] { return !text.empty(); });
  worker.join();
  service.kept.clear();
}

TEST_F(ClientServerTest, WhatIsWrongWithAnEndpointIsTheErrorOfTheCall) {
  struct Case {
    std::string endpoint;
    StatusCode code;
    const char* text;
  };
  for (const Case& c : {Case{folder_.Endpoint("nobody"), StatusCode::kUnavailable, "no such "},
                        Case{folder_.Endpoint("no/where"), StatusCode::kUnavailable, "no such "},
                        Case{TooLongEndpoint(), StatusCode::kInvalidArgument, "at most "},
                        Case{"tcp:here", StatusCode::kInvalidArgument, "direct:name"}}) {
    BlockingClient blocking(c.endpoint);
    auto reply = sample::SampleClient(blocking).Nothing().Sync();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), c.code) << reply.error();
    EXPECT_THAT(reply.error().message(), HasSubstr(c.text));
    EXPECT_EQ(sample::SampleClient(blocking).Nothing().Sync().error().code(),
              StatusCode::kUnavailable);

    Loop loop;
    Client client(loop, c.endpoint);
    std::optional<Status> status;
    sample::SampleClient(client).Nothing().Send([&](auto result) { status = result.error(); });
    EXPECT_FALSE(status);
    RunUntil(loop, [&] { return status.has_value(); });
    EXPECT_EQ(status->code(), c.code);
  }
}

TEST_F(ClientServerTest, ListenErrorsSayWhatIsWrong) {
  Loop loop;
  Server server(loop);
  EXPECT_EQ(server.Listen(folder_.Endpoint("a"), {.group = "no-such-group"}).code(),
            StatusCode::kNotFound);
  EXPECT_EQ(server.Listen(TooLongEndpoint()).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(server.ListenOn(FileWith("")).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(server.Adopt(FileWith("")).code(), StatusCode::kInvalidArgument);
}

TEST_F(ClientServerTest, StoppedServerListensAgain) {
  Loop loop;
  SampleService service;
  Server server(loop);
  ASSERT_TRUE(server.Serve(service).ok());
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(server.Listen(Endpoint()).ok());
    Client client(loop, Endpoint());
    bool good = false;
    sample::SampleClient(client).Nothing().Send([&](auto reply) { good = reply.has_value(); });
    RunUntil(loop, [&] { return good; });
    server.Stop();
    RunUntil(loop, [&] { return server.association_count() == 0; });
    EXPECT_FALSE(EndpointExists(Endpoint())) << "its name is left";
  }
}

TEST_F(ClientServerTest, DrainWaitsForAnswersThenReports) {
  Loop loop;
  SampleService service;
  Server server(loop);
  ASSERT_TRUE(server.Serve(service).ok());
  ASSERT_TRUE(server.Listen(Endpoint()).ok());
  Client client(loop, Endpoint());
  std::optional<StatusCode> code;
  sample::SampleClient(client).Keep().Send(
      [&](auto reply) { code = reply ? StatusCode::kOk : reply.error().code(); });
  RunUntil(loop, [&] { return !service.kept.empty(); });
  bool drained = false;
  server.Drain(std::chrono::seconds(20), [&] { drained = true; });
  sample::SampleClient(client).Nothing().Send([&](auto) {
    EXPECT_FALSE(drained);
    service.kept[0].Reply();
  });
  RunUntil(loop, [&] { return drained; });
  RunUntil(loop, [&] { return code.has_value(); });
  EXPECT_EQ(code, StatusCode::kOk);
}

TEST_F(ClientServerTest, DrainEndsStubbornCallsAtItsDeadline) {
  Loop loop;
  SampleService service;
  Server server(loop);
  ASSERT_TRUE(server.Serve(service).ok());
  ASSERT_TRUE(server.Listen(Endpoint()).ok());
  Client client(loop, Endpoint());
  std::optional<StatusCode> code;
  sample::SampleClient(client).Keep().Send([&](auto reply) { code = reply.error().code(); });
  RunUntil(loop, [&] { return !service.kept.empty(); });
  bool drained = false;
  server.Drain(milliseconds(20), [&] { drained = true; });
  RunUntil(loop, [&] { return drained && code.has_value(); });
  EXPECT_EQ(code, StatusCode::kUnavailable);
}

TEST_F(ClientServerTest, ServerMayGoInItsOwnHandler) {
  Loop loop;
  SampleService service;
  auto server = std::make_unique<Server>(loop);
  service.on_keep = [&] { server.reset(); };
  ASSERT_TRUE(server->Serve(service).ok());
  ASSERT_TRUE(server->Listen(Endpoint()).ok());
  Client client(loop, Endpoint());
  std::optional<Status> status;
  sample::SampleClient(client).Keep().Send([&](auto reply) { status = reply.error(); });
  RunUntil(loop, [&] { return status.has_value(); });
  EXPECT_EQ(status->code(), StatusCode::kUnavailable);
  service.kept.clear();
}

TEST_F(ClientServerTest, ClientMayGoInItsOwnCallback) {
  Loop loop;
  SampleService service;
  Server server(loop);
  ASSERT_TRUE(server.Serve(service).ok());
  ASSERT_TRUE(server.Listen(Endpoint()).ok());
  auto client = std::make_unique<Client>(loop, Endpoint());
  int ended = 0;
  for (int i = 0; i < 3; ++i) {
    sample::SampleClient(*client).Nothing().Send([&](auto) {
      ++ended;
      client.reset();
    });
  }
  RunUntil(loop, [&] { return ended == 3; });
  RunUntil(loop, [&] { return server.association_count() == 0; });
}

TEST_F(ClientServerTest, PeerThatTakesNothingIsCutAtTheSendTimeout) {
  Loop loop;
  SampleService service;
  ServerOptions options;
  options.limits.send_timeout = milliseconds(50);
  std::optional<Status> reason;
  options.on_end = [&](const Token&, const Status& status) { reason = status; };
  Server server(loop, std::move(options));
  ASSERT_TRUE(server.Serve(service).ok());
  ASSERT_TRUE(server.Listen(Endpoint()).ok());
  BlockingClient client(Endpoint());
  sample::SampleClient sample(client);
  // Replies that nobody reads: the client only queues its calls, with a one-way call each to send
  // them.
  for (int i = 0; i < 8; ++i) {
    auto blob = sample.Blob();
    blob->setSize(900'000);
    blob.Send([](auto) {});
  }
  ASSERT_TRUE(sample.Log().Send().ok());
  RunUntil(loop, [&] { return reason.has_value(); });
  EXPECT_EQ(reason->code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(reason->message(), HasSubstr("Limits::send_timeout"));
}

}  // namespace
}  // namespace lwmsg::test
