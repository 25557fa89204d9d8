#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lwmsg/internal/message_state.h"
#include "tests/core/harness.h"

namespace lwmsg::test {
namespace {

using ::testing::HasSubstr;

// A message that the transport finds it cannot send: its OS handles cannot be passed to this peer.
class UnsentTest : public AssociationTest {
 protected:
  void SetUp() override {
    acceptor_config = [this](Association::Environment& environment) {
      environment.log = Log(
          [this](LogLevel level, std::string_view line) {
            if (level == LogLevel::kWarning) warnings_.emplace_back(line);
          },
          LogLevel::kWarning);
    };
    connector_config = [this](Association::Environment& environment, Association::Connecting&) {
      acceptor_config(environment);
    };
    Open();
    ASSERT_EQ(Echo(), Status());
  }
  // Nothing hangs, nothing is left, and both can still talk.
  void ExpectAlive() {
    EXPECT_EQ(Echo(), Status());
    EXPECT_FALSE(client_.end || server_.end);
    EXPECT_TRUE(client_.association->idle());
    EXPECT_TRUE(server_.association->idle());
    EXPECT_EQ(client_.association->session()->object_count(), 0U);
    EXPECT_EQ(server_.association->session()->object_count(), 0U);
  }

  std::vector<std::string> warnings_;
  const Status reason_{StatusCode::kFailedPrecondition, "no handles to this peer"};
};

TEST_F(UnsentTest, CallFailsForItsCaller) {
  client_.transport->RefuseNext(reason_);
  auto give = Client().Give();
  give->setFirst(FileWith("x"));
  const auto reply = CallNow(std::move(give));
  ASSERT_TRUE(reply);
  ASSERT_FALSE(*reply);
  EXPECT_EQ(reply->error().code(), reason_.code());
  EXPECT_THAT(reply->error().message(), HasSubstr("no handles to this peer"));
  EXPECT_THAT(reply->error().message(), HasSubstr("give"));
  ExpectAlive();
}

TEST_F(UnsentTest, CallThatWasCancelledMeanwhileIsToldOnce) {
  client_.transport->RefuseNext(reason_);
  auto give = Client().Give();
  give->setFirst(FileWith("x"));
  OutcomeOf<decltype(give)> outcome;
  const PendingCall pending = give.Send(outcome.Callback());
  pending.Cancel();
  executor_.Run();
  EXPECT_EQ(outcome.count(), 1);
  EXPECT_EQ(outcome.code(), StatusCode::kCancelled);
  ExpectAlive();
}

TEST_F(UnsentTest, LastCallEndsTheDrain) {
  client_.transport->RefuseNext(reason_);
  auto give = Client().Give();
  give->setFirst(FileWith("x"));
  OutcomeOf<decltype(give)> outcome;
  give.Send(outcome.Callback());
  client_.association->Drain();
  EXPECT_FALSE(client_.end);
  executor_.Run();
  EXPECT_EQ(outcome.code(), reason_.code());
  EXPECT_EQ(client_.end, Status());
}

TEST_F(UnsentTest, ObjectsThatACallNamesAreReleased) {
  client_.transport->RefuseNext(reason_);
  auto own = std::make_shared<ListenerService>();
  const std::weak_ptr<ListenerService> watched = own;
  auto call = Client().CallObject();
  ASSERT_TRUE(call->setListener(std::exchange(own, nullptr)).ok());
  ASSERT_FALSE(*CallNow(std::move(call)));
  EXPECT_TRUE(watched.expired());
  ExpectAlive();
}

TEST_F(UnsentTest, ReplyBecomesAnErrorForTheCaller) {
  server_.transport->RefuseNext(reason_);
  auto open = Client().Open();
  open->setPath(NullPath());
  const auto reply = CallNow(std::move(open));
  ASSERT_TRUE(reply);
  ASSERT_FALSE(*reply);
  EXPECT_EQ(reply->error().code(), reason_.code());
  EXPECT_THAT(reply->error().message(), HasSubstr("no handles to this peer"));
  ExpectAlive();
}

TEST_F(UnsentTest, ObjectsThatAReplyNamesAreReleased) {
  server_.transport->RefuseNext(reason_);
  EXPECT_FALSE(*CallNow(Client().Make()));
  EXPECT_TRUE(sample_.made.expired());
  ExpectAlive();
}

TEST_F(UnsentTest, ItemEndsTheStreamForBoth) {
  auto stream = Client().Watch().Start();
  executor_.Run();
  auto& call = sample_.watching.at(0);
  server_.transport->RefuseNext(reason_);
  call.item().setText("a");
  EXPECT_TRUE(call.Send().ok());
  std::optional<Status> end;
  stream.Next([&end](auto item) { end = item ? Status() : item.error(); });
  executor_.Run();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code(), reason_.code());
  call.item().setText("b");
  EXPECT_FALSE(call.Send().ok());
  sample_.watching.clear();
  executor_.Run();
  ExpectAlive();
}

TEST_F(UnsentTest, ItemIsTheEndForAHandlerThatWaits) {
  auto stream = Client().Watch().Start();
  executor_.Run();
  auto& call = sample_.watching.at(0);
  const std::stop_token stop = call.stop_token();
  server_.transport->RefuseNext(reason_);
  // All that the caller has room for.
  for (const char* text : {"a", "b"}) {
    call.item().setText(text);
    ASSERT_TRUE(call.Send().ok());
  }
  int told = 0;
  call.OnCredit([&told] { ++told; });
  call.OnCancel([&told] { ++told; });
  EXPECT_EQ(told, 0);
  executor_.Run();
  EXPECT_EQ(told, 2);
  EXPECT_TRUE(stop.stop_requested());
  EXPECT_TRUE(call.cancelled());
  sample_.watching.clear();
  ExpectAlive();
}

TEST_F(UnsentTest, ItemIsTheEndForAHandlerThatAsksLater) {
  auto stream = Client().Watch().Start();
  executor_.Run();
  auto& call = sample_.watching.at(0);
  server_.transport->RefuseNext(reason_);
  call.item().setText("a");
  ASSERT_TRUE(call.Send().ok());
  executor_.Run();
  // Also when nobody is there to ask any more.
  for (const bool gone : {false, true}) {
    if (gone) server_.association.reset();
    int told = 0;
    call.OnCredit([&told] { ++told; });
    call.OnCancel([&told] { ++told; });
    EXPECT_EQ(told, 2);
    EXPECT_TRUE(call.cancelled());
    EXPECT_TRUE(call.stop_token().stop_requested());
  }
  sample_.watching.clear();
}

TEST_F(UnsentTest, ItemEndsACoroutineThatWaitsForRoom) {
  server_.transport->RefuseNext(reason_);
  auto count = Client().Count();
  count->setTo(100);
  auto stream = count.Start();
  executor_.Run();
  ExpectAlive();
  const std::weak_ptr<Session> session = server_.association->session();
  server_.association.reset();
  EXPECT_TRUE(session.expired()) << "the coroutine's frame keeps it";
}

TEST_F(UnsentTest, ItemsHandlerDoesNothingToACallWithTheSameId) {
  const auto frame = [](uint16_t method, uint32_t credit) {
    auto message = OutgoingMessage::ForCall(sample::kSampleProtocol.id, method);
    auto call = message.state().envelope.getCall();
    call.setId(99);
    call.setCredit(credit);
    return ToFrame(std::move(message));
  };
  server_.transport->Mute();
  server_.transport->Inject(frame(17, 2));  // watch
  executor_.Run();
  server_.transport->RefuseNext(reason_);
  auto& old = sample_.watching.at(0);
  old.item().setText("a");
  ASSERT_TRUE(old.Send().ok());
  executor_.Run();
  // The caller has the error, and may use the id again.
  server_.transport->Inject(frame(17, 2));
  executor_.Run();
  ASSERT_EQ(sample_.watching.size(), 2U);
  auto& first = sample_.watching[0];
  EXPECT_EQ(first.credit(), 0U);
  EXPECT_FALSE(first.Send().ok());
  EXPECT_TRUE(first.cancelled());
  first.Finish();
  executor_.Run();
  EXPECT_EQ(sample_.watching[1].credit(), 2U);
  EXPECT_FALSE(sample_.watching[1].cancelled());
  EXPECT_EQ(server_.association->Describe().incoming.size(), 1U);
  sample_.watching.clear();
}

TEST_F(UnsentTest, ItemRightBeforeTheEndIsMissedByTheCaller) {
  auto stream = Client().Watch().Start();
  executor_.Run();
  auto& call = sample_.watching.at(0);
  call.item().setText("a");
  EXPECT_TRUE(call.Send().ok());
  server_.transport->RefuseNext(reason_);
  call.item().setText("b");
  EXPECT_TRUE(call.Send().ok());
  call.Finish();
  std::vector<std::string> texts;
  std::optional<Status> end;
  while (!end) {
    stream.Next([&](auto item) {
      if (item && *item) {
        texts.emplace_back((**item).getText().cStr());
      } else {
        end = item ? Status() : item.error();
      }
    });
    executor_.Run();
  }
  EXPECT_THAT(texts, ::testing::ElementsAre("a"));
  EXPECT_EQ(end->code(), StatusCode::kUnavailable);
  EXPECT_THAT(end->message(), HasSubstr("watch: 1 of its 2 items did not come"));
  EXPECT_THAT(warnings_, ::testing::ElementsAre(HasSubstr("an item of a stream was not sent: ")));
  sample_.watching.clear();
  ExpectAlive();
}

TEST_F(UnsentTest, OneWayCallIsLogged) {
  client_.transport->RefuseNext(reason_);
  auto log = Client().Log();
  log->setText("x");
  EXPECT_EQ(log.Send(), Status());
  executor_.Run();
  EXPECT_TRUE(sample_.logged.empty());
  EXPECT_THAT(warnings_, ::testing::ElementsAre(HasSubstr("no handles to this peer")));
  ExpectAlive();
}

}  // namespace
}  // namespace lwmsg::test
