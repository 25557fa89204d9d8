#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "tests/conformance/mode.h"

// What LWMsg's tests did not cover: calls, and how they and their connections end.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NotCoveredBefore : public ModeTest {
 protected:
  // Calls until `done`; on the test's loop.
  void RunUntil(const std::function<bool()>& done) { ASSERT_TRUE(RunLoopUntil(loop_, done)); }
  // Keeps what comes to `keep`, on the host's loop, and tells the test's loop.
  void KeepCalls() {
    target_.on_keep = [this](Target::KeepCall call) {
      kept_.push_back(std::move(call));
      kept_.back().OnCancel([this] { loop_.Post([this] { ++cancelled_; }); });
      loop_.Post([this] { ++begun_; });
    };
  }

  ~NotCoveredBefore() override { host_.reset(); }

  Loop loop_;
  int begun_ = 0;
  int cancelled_ = 0;

 private:
  std::vector<Target::KeepCall> kept_;  // On the host's loop.
};
INSTANTIATE_TEST_SUITE_P(Conformance, NotCoveredBefore,
                         ::testing::Values(Mode::kLocal, Mode::kDirect, Mode::kPair), ModeName);

TEST_P(NotCoveredBefore, StatusOfTheHandlerReachesItsCallerAsItIs) {
  Start();
  auto client = NewBlockingClient();
  for (uint16_t code = 1; code <= static_cast<uint16_t>(StatusCode::kInternal); ++code) {
    auto fail = conformance::TargetClient(*client).Fail();
    fail->setCode(code);
    fail->setText("the handler's reason");
    auto reply = fail.Sync();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error(), Status(StatusCodeFromWire(code), "the handler's reason"));
  }
  EXPECT_EQ(Ping(*client), Status());
}

TEST_P(NotCoveredBefore, UnknownInterfaceFailsOneCall) {
  Start();
  auto client = NewBlockingClient();
  auto reply = conformance::ElsewhereClient(*client).Ping().Sync();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), StatusCode::kUnimplemented) << reply.error();
  EXPECT_EQ(Ping(*client), Status());
}

TEST_P(NotCoveredBefore, CallbacksOnAReusedConnection) {
  Start();
  auto client = NewBlockingClient();
  const conformance::TargetClient target(*client);
  for (int round = 0; round < 3; ++round) {
    const auto listener = std::make_shared<Listener>();
    auto call_back = target.CallBack();
    ASSERT_TRUE(call_back->setListener(listener).ok());
    call_back->setRounds(2);
    EXPECT_TRUE(call_back.Sync());
    EXPECT_THAT(listener->notified, ElementsAre(1, 2));
    // Between them one that fails, as the client serves no Listener.
    auto without = target.CallBack();
    without->setRounds(1);
    EXPECT_EQ(without.Sync().error().code(), StatusCode::kUnimplemented);
  }
}

void AddLevels(conformance::Level::Builder level, int depth) {
  if (depth > 0) AddLevels(level.initNext(), depth - 1);
}

TEST_P(NotCoveredBefore, NestingBeyondTheLimitFailsOneCall) {
  Start();
  auto client = NewBlockingClient();
  for (const int depth : {20, 100}) {
    auto level = conformance::TargetClient(*client).Level();
    AddLevels(level->initLevel(), depth);
    auto reply = level.Sync();
    EXPECT_EQ(reply.has_value(), depth == 20);
    if (reply) continue;
    EXPECT_THAT(reply.error().ToString(), HasSubstr("Limits::max_nesting"));
  }
  EXPECT_EQ(Ping(*client), Status());
}

TEST_P(NotCoveredBefore, RequestBeyondTheLimitFailsOneCall) {
  Start();
  auto client = NewBlockingClient();
  ASSERT_EQ(Ping(*client), Status());
  auto foo = conformance::TargetClient(*client).Foo();
  foo->initNumbers(Limits().max_frame_bytes / sizeof(uint64_t));
  auto reply = foo.Sync();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), StatusCode::kResourceExhausted) << reply.error();
  EXPECT_THAT(reply.error().message(), HasSubstr("Limits::max_frame_bytes"));
  EXPECT_EQ(Ping(*client), Status());
}

TEST_P(NotCoveredBefore, DeadlineEndsTheCallOnBothSides) {
  KeepCalls();
  Start();
  auto client = NewClient(loop_);
  std::optional<Status> status;
  auto keep = conformance::TargetClient(*client).Keep();
  keep.set_timeout(milliseconds(50));
  keep.Send([&status](const auto& reply) { status = reply ? Status() : reply.error(); });
  RunUntil([&] { return status.has_value() && cancelled_ == 1; });
  EXPECT_EQ(begun_, 1);
  EXPECT_EQ(status->code(), StatusCode::kDeadlineExceeded) << *status;
}

TEST_P(NotCoveredBefore, CallCancelledBeforeItIsSentEndsOnce) {
  KeepCalls();
  Start();
  auto client = NewClient(loop_);
  PendingCall().Cancel();
  int ended = 0;
  StatusCode code = StatusCode::kOk;
  const PendingCall pending =
      conformance::TargetClient(*client).Keep().Send([&](const auto& reply) {
        ++ended;
        code = reply.error().code();
      });
  // The loop has not run: nothing has left yet.
  pending.Cancel();
  pending.Cancel();
  EXPECT_EQ(ended, 0) << "never inside Cancel";
  std::optional<Status> ping;
  conformance::TargetClient(*client).Ping().Send(
      [&ping](const auto& reply) { ping = reply ? Status() : reply.error(); });
  RunUntil([&] { return ping.has_value(); });
  EXPECT_EQ(ping, Status());
  pending.Cancel();
  client.reset();
  loop_.Run();
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(code, StatusCode::kCancelled);
}

TEST_P(NotCoveredBefore, RequestThatIsNeverSentLeavesNothing) {
  Start();
  auto client = NewBlockingClient();
  auto read = conformance::TargetClient(*client).ReadFile();
  read->setFile(FileWith("never"));
  {
    const auto dropped = std::move(read);
  }
  auto foo = conformance::TargetClient(*client).CallBack();
  ASSERT_TRUE(foo->setListener(std::make_shared<Listener>()).ok());
  {
    const auto dropped = std::move(foo);
  }
  EXPECT_EQ(Ping(*client), Status());
}

TEST_P(NotCoveredBefore, HandleMayBeReleasedWhileItsCallIsPending) {
  Start();
  auto client = NewClient(loop_);
  std::optional<Handle<conformance::Counter>> counter;
  conformance::TargetClient(*client).MakeCounter().Send(
      [&counter](auto reply) { counter = *reply->takeCounter(); });
  RunUntil([&] { return counter.has_value(); });
  std::optional<uint32_t> total;
  {
    auto add = conformance::CounterClient(*counter).Add();
    add->setAmount(7);
    add.Send([&total](const auto& reply) { total = reply ? reply->getTotal() : 0; });
  }
  counter.reset();
  RunUntil([&] { return total.has_value(); });
  EXPECT_EQ(total, 7U);
  // The server hears of the release behind the call.
  RunUntil([&] {
    size_t objects = 1;
    host_->Run([&objects](Server& server) {
      objects = server.State().associations.at(0).session_objects;
    });
    loop_.Post([] {});
    return objects == 0;
  });
}

TEST_P(NotCoveredBefore, EachSideIsToldWhyTheConnectionEnded) {
  std::optional<Status> served;
  Start([&served] {
    ServerOptions options;
    options.on_end = [&served](const Token&, const Status& reason) { served = reason; };
    return options;
  });
  std::optional<Status> called;
  auto connect = [&] {
    ClientOptions options;
    options.on_end = [&called](const Status& reason) { called = reason; };
    auto client = NewClient(loop_, std::move(options));
    bool ready = false;
    conformance::TargetClient(*client).Ping().Send(
        [&ready](const auto& reply) { ready = reply.has_value(); });
    RunUntil([&] { return ready; });
    return client;
  };
  auto client = connect();
  client->Close();
  RunUntil([&] {
    bool ended = false;
    host_->Run([&](Server&) { ended = served.has_value(); });
    loop_.Post([] {});
    return ended && called.has_value();
  });
  EXPECT_THAT(served->ToString(), HasSubstr("peer"));
  EXPECT_EQ(called, Status()) << "it was this side that wanted it";

  called.reset();
  client = connect();
  host_->Stop();
  RunUntil([&] { return called.has_value(); });
  EXPECT_EQ(called->code(), StatusCode::kUnavailable);
  EXPECT_THAT(called->message(), HasSubstr("closed"));
  client.reset();
  host_.reset();  // Its on_end is told until it has gone.
}

}  // namespace
}  // namespace lwmsg::test
