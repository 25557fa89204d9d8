#include <gmock/gmock.h>

#include "tests/core/harness.h"

// Who watches calls sees each begin and end, once.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

class Notes final : public CallWatcher {
 public:
  void OnBegin(const CallInfo& call) override { lines.push_back(Text(call)); }
  void OnEnd(const CallInfo& call, const Status& status,
             std::chrono::nanoseconds duration) override {
    lines.push_back(Text(call) + " " + std::string(StatusCodeName(status.code())));
    last_duration = duration;
  }

  std::vector<std::string> lines;
  std::chrono::nanoseconds last_duration{};

 private:
  static std::string Text(const CallInfo& call) {
    return (call.direction == CallDirection::kIncoming ? "in " : "out ") + call.name() +
           (call.id == 0 ? " without id" : "");
  }
};

class CallWatcherTest : public AssociationTest {
 protected:
  void OpenWatched() {
    connector_config = [this](auto& environment, auto& /*connecting*/) {
      environment.watcher = client_notes_;
    };
    acceptor_config = [this](Association::Environment& environment) {
      environment.watcher = server_notes_;
    };
    Open();
  }

  std::shared_ptr<Notes> client_notes_ = std::make_shared<Notes>();
  std::shared_ptr<Notes> server_notes_ = std::make_shared<Notes>();
};

TEST_F(CallWatcherTest, BothSidesSeeACallBeginAndEnd) {
  OpenWatched();
  ASSERT_EQ(Echo(), Status());
  EXPECT_THAT(client_notes_->lines, ElementsAre("out Sample.echo", "out Sample.echo ok"));
  EXPECT_THAT(server_notes_->lines, ElementsAre("in Sample.echo", "in Sample.echo ok"));
}

TEST_F(CallWatcherTest, EndComesWithTheReplyAndTheTimeItTook) {
  OpenWatched();
  bool called_back = false;
  Client().Keep().Send([&](auto) {
    called_back = true;
    EXPECT_EQ(client_notes_->lines.size(), 2U) << "told before the callback";
  });
  executor_.Advance(milliseconds(70));
  EXPECT_THAT(server_notes_->lines, ElementsAre("in Sample.keep"));
  sample_.kept[0].Reply();
  EXPECT_THAT(server_notes_->lines, ElementsAre("in Sample.keep", "in Sample.keep ok"));
  EXPECT_EQ(server_notes_->last_duration, milliseconds(70));
  executor_.Run();
  EXPECT_TRUE(called_back);
  EXPECT_EQ(client_notes_->last_duration, milliseconds(70));
}

TEST_F(CallWatcherTest, FailuresAreSeenWithTheirStatus) {
  OpenWatched();
  auto fail = Client().Fail();
  fail->setCode(static_cast<uint16_t>(StatusCode::kNotFound));
  CallNow(std::move(fail));
  EXPECT_THAT(client_notes_->lines, ElementsAre("out Sample.fail", "out Sample.fail not found"));
  EXPECT_THAT(server_notes_->lines, ElementsAre("in Sample.fail", "in Sample.fail not found"));
}

TEST_F(CallWatcherTest, OneWayCallHasNoIdAndEndsAtOnce) {
  OpenWatched();
  ASSERT_TRUE(Client().Log().Send().ok());
  EXPECT_THAT(client_notes_->lines,
              ElementsAre("out Sample.log without id", "out Sample.log without id ok"));
  executor_.Run();
  EXPECT_THAT(server_notes_->lines,
              ElementsAre("in Sample.log without id", "in Sample.log without id ok"));
}

TEST_F(CallWatcherTest, CallThatNeverComesToAHandlerIsSeen) {
  OpenWatched();
  ASSERT_EQ(Echo(), Status());
  server_notes_->lines.clear();
  Frame unknown_method = CallFrame(77, sample::kSampleProtocol.id, 999);
  Frame unknown_interface = CallFrame(78, 5, 1);
  server_.transport->Inject(std::move(unknown_method));
  server_.transport->Inject(std::move(unknown_interface));
  executor_.Run();
  EXPECT_THAT(server_notes_->lines,
              ElementsAre("in Sample method 999", "in Sample method 999 unimplemented",
                          "in interface 5 method 1", "in interface 5 method 1 unimplemented"));
}

TEST_F(CallWatcherTest, EndOfTheAssociationEndsItsCalls) {
  OpenWatched();
  Client().Keep().Send([](auto) {});
  executor_.Run();
  server_.association->Close(Status());
  EXPECT_THAT(server_notes_->lines, ElementsAre("in Sample.keep", "in Sample.keep unavailable"));
  executor_.Run();
  EXPECT_THAT(client_notes_->lines, ElementsAre("out Sample.keep", "out Sample.keep unavailable"));
  // One that can no longer be sent.
  EXPECT_FALSE(Client().Log().Send().ok());
  EXPECT_EQ(client_notes_->lines.back(), "out Sample.log without id unavailable");
  sample_.kept.clear();
  EXPECT_EQ(server_notes_->lines.size(), 2U) << "the end is told once";
}

TEST_F(CallWatcherTest, DeadlineAndCancelEndACallOfThisSide) {
  OpenWatched();
  auto late = Client().Keep();
  late.set_timeout(milliseconds(10));
  late.Send([](auto) {});
  executor_.Advance(milliseconds(20));
  EXPECT_EQ(client_notes_->lines.back(), "out Sample.keep deadline exceeded");
  auto pending = Client().Keep().Send([](auto) {});
  executor_.Run();
  pending.Cancel();
  executor_.Run();
  EXPECT_EQ(client_notes_->lines.back(), "out Sample.keep cancelled");
  EXPECT_EQ(client_notes_->lines.size(), 4U);
}

TEST_F(CallWatcherTest, TraceLevelLogsEachCall) {
  std::vector<std::string> lines;
  acceptor_config = [&](Association::Environment& environment) {
    environment.log = Log(
        [&](LogLevel level, std::string_view line) {
          if (level == LogLevel::kTrace) lines.emplace_back(line);
        },
        LogLevel::kTrace);
  };
  Open();
  ASSERT_EQ(Echo(), Status());
  EXPECT_THAT(lines, ElementsAre(testing::HasSubstr("call begins: incoming Sample.echo"),
                                 testing::HasSubstr("call ends: incoming Sample.echo")));
}

}  // namespace
}  // namespace lwmsg::test
