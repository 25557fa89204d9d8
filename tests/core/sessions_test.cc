#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/session_host.h"
#include "tests/core/harness.h"

namespace lwmsg::test {
namespace {

using internal::SessionHost;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kKey(Association::kSessionKeyBytes, 'k');

Token TokenOf(uint32_t euid, uint32_t pid) {
  TokenFacts facts;
  facts.euid = euid;
  facts.egid = euid;
  facts.pid = pid;
  return Token(std::move(facts));
}

class SessionHostTest : public InventoriedTest {
 protected:
  // How a join ended; empty as long as it waits.
  using Joined = std::optional<Status>;
  Result<std::shared_ptr<Session>> Join(SessionHost& host, const std::string& key,
                                        const Token& peer, Joined& joined) {
    return host.Join(key, peer, [&joined](Status status) { joined = std::move(status); });
  }

  ManualExecutor executor_;
  std::vector<NewSession> asked_;
  SessionHost asking_{executor_, 10, internal::Share<void(NewSession)>([this](NewSession session) {
                        asked_.push_back(std::move(session));
                      })};
  SessionHost open_{executor_, 10, {}};
};

TEST_F(SessionHostTest, SameKeyOfOneProcessIsOneSession) {
  Joined joined;
  auto first = Join(open_, kKey, TokenOf(1, 2), joined);
  auto second = Join(open_, kKey, TokenOf(1, 2), joined);
  auto other = Join(open_, std::string(16, 'o'), TokenOf(1, 2), joined);
  auto without = Join(open_, "", TokenOf(1, 2), joined);
  EXPECT_EQ(*first, *second);
  EXPECT_NE(*first, *other);
  EXPECT_NE(*first, *without);
  EXPECT_EQ(open_.session_count(), 3U);
}

TEST_F(SessionHostTest, KeyOfAnotherProcessIsRefused) {
  Joined joined;
  ASSERT_TRUE(Join(open_, kKey, TokenOf(1, 2), joined));
  for (const Token& other : {TokenOf(1, 3), TokenOf(2, 2), Token()}) {
    auto refused = Join(open_, kKey, other, joined);
    EXPECT_EQ(refused.error().code(), StatusCode::kPermissionDenied);
  }
}

TEST_F(SessionHostTest, EndsWithItsLastAssociation) {
  Joined joined;
  auto session = *Join(open_, kKey, TokenOf(1, 2), joined);
  ASSERT_TRUE(Join(open_, kKey, TokenOf(1, 2), joined));
  ASSERT_TRUE(session->Register(1, std::make_shared<int>(1)));
  open_.Leave(session->id());
  EXPECT_EQ(session->object_count(), 1U);
  open_.Leave(session->id());
  EXPECT_EQ(session->object_count(), 0U);
  EXPECT_EQ(open_.session_count(), 0U);
}

TEST_F(SessionHostTest, ConstructorIsAskedOnceAndAnswersAll) {
  Joined first;
  Joined second;
  auto session = *Join(asking_, kKey, TokenOf(1, 2), first);
  ASSERT_TRUE(Join(asking_, kKey, TokenOf(1, 2), second));
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_[0].peer().pid(), 2U);
  EXPECT_FALSE(first);
  asked_[0].Accept(std::make_shared<Caller>(Caller{"ann"}));
  EXPECT_EQ(first, Status());
  EXPECT_EQ(second, Status());
  EXPECT_EQ(session->data<Caller>()->name, "ann");
}

TEST_F(SessionHostTest, DroppedConstructorRefuses) {
  Joined joined;
  ASSERT_TRUE(Join(asking_, kKey, TokenOf(1, 2), joined));
  asked_.clear();
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->code(), StatusCode::kAborted);
}

TEST_F(SessionHostTest, AnswerAfterEverybodyLeftIsIgnoredAndDataGoes) {
  Joined joined;
  auto session = *Join(asking_, kKey, TokenOf(1, 2), joined);
  asking_.Leave(session->id());
  session.reset();
  auto data = std::make_shared<Caller>();
  const std::weak_ptr<Caller> watched = data;
  asked_[0].Accept(std::move(data));
  EXPECT_FALSE(joined);
  EXPECT_TRUE(watched.expired());
}

class SessionsTest : public AssociationTest {
 protected:
  ~SessionsTest() override {
    // Before the host.
    client_.association.reset();
    server_.association.reset();
  }

  void OpenWithConstructor() {
    acceptor_config = [this](Association::Environment& environment) {
      environment.sessions = &host_;
    };
    connector_config = [](auto& /*environment*/, auto& connecting) {
      connecting.session_key = kKey;
    };
    Open();
    executor_.Run();
  }

  std::vector<NewSession> asked_;
  SessionHost host_{executor_, 10, internal::Share<void(NewSession)>([this](NewSession session) {
                      asked_.push_back(std::move(session));
                    })};
};

TEST_F(SessionsTest, CallsWaitInOrderForTheConstructor) {
  OpenWithConstructor();
  std::vector<std::string> answers;
  for (const char* text : {"first", "second"}) {
    auto echo = Client().Echo();
    echo->setText(text);
    echo.Send([&answers](auto reply) { answers.emplace_back(reply->getText()); });
  }
  executor_.Run();
  EXPECT_TRUE(answers.empty());
  asked_.at(0).Accept();
  executor_.Run();
  EXPECT_THAT(answers, ElementsAre("first", "second"));
}

TEST_F(SessionsTest, HandlersGetTheDataOfTheCaller) {
  OpenWithConstructor();
  asked_.at(0).Accept(std::make_shared<Caller>(Caller{"ann"}));
  EXPECT_EQ((*CallNow(Client().Me()))->getName(), "ann");
}

TEST_F(SessionsTest, RefusalReachesTheCallsThatWaitWithItsReason) {
  OpenWithConstructor();
  OutcomeOf<sample::SampleClient::NothingRequest> outcome;
  Client().Nothing().Send(outcome.Callback());
  executor_.Run();
  asked_.at(0).Refuse(Status(StatusCode::kPermissionDenied, "not on Sundays"));
  executor_.Run();
  EXPECT_EQ(outcome.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(outcome.message(), HasSubstr("not on Sundays"));
  EXPECT_EQ(host_.session_count(), 0U);
}

TEST_F(SessionsTest, CallerThatGoesWhileTheConstructorThinksLeavesNothing) {
  OpenWithConstructor();
  client_.association.reset();
  executor_.Run();
  EXPECT_EQ(host_.session_count(), 0U);
  asked_.at(0).Accept(std::make_shared<Caller>());
  executor_.Run();
  EXPECT_EQ(host_.session_count(), 0U);
}

TEST_F(SessionsTest, OneWayCallOfACallerThatHasGoneIsDoneWhenTheConstructorAnswers) {
  OpenWithConstructor();
  auto log = Client().Log();
  log->setText("last words");
  ASSERT_TRUE(log.Send().ok());
  client_.association->Close(Status());
  executor_.Run();
  EXPECT_TRUE(sample_.logged.empty());
  asked_.at(0).Accept();
  executor_.Run();
  EXPECT_THAT(sample_.logged, ElementsAre("last words"));
  EXPECT_TRUE(server_.end);
  EXPECT_EQ(host_.session_count(), 0U);
}

TEST_F(SessionsTest, CallerWhoseFramingBreaksWhileTheConstructorThinksIsTold) {
  OpenWithConstructor();
  auto log = Client().Log();
  log->setText("last words");
  ASSERT_TRUE(log.Send().ok());
  executor_.Run();
  server_.transport->Break(Status(StatusCode::kMalformed, "the framing is broken"));
  executor_.Run();
  const size_t sent = server_.transport->sent_count();
  asked_.at(0).Accept();
  executor_.Run();
  EXPECT_THAT(sample_.logged, ElementsAre("last words"));
  EXPECT_EQ(server_.transport->sent_count(), sent + 2) << "hello and goodbye";
  ASSERT_TRUE(server_.end);
  EXPECT_EQ(server_.end->code(), StatusCode::kMalformed);
}

TEST_F(SessionsTest, HandlesThatComeBeforeTheConstructorAnswersAreBounded) {
  OpenWithConstructor();
  const Limits defaults;
  const auto call_with_handles = [&](uint32_t id) {
    Frame frame = CallFrame(id, 1, 1);
    for (int i = 0; i < defaults.max_frame_handles; ++i) frame.handles.push_back(FileWith("x"));
    server_.transport->Inject(std::move(frame));
    executor_.Run();
  };
  const auto rightful =
      static_cast<uint32_t>(defaults.max_queued_handles / defaults.max_frame_handles);
  for (uint32_t id = 1; id <= rightful; ++id) call_with_handles(id);
  EXPECT_FALSE(server_.end);
  call_with_handles(rightful + 1);
  ASSERT_TRUE(server_.end);
  EXPECT_EQ(server_.end->code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(server_.end->message(), HasSubstr("80 OS handles came before the session was open"));
}

// Of all of a user's associations together.
TEST_F(SessionsTest, HandlesThatComeBeforeTheConstructorAnswersAreBoundedByUser) {
  OpenWithConstructor();
  const auto account = std::make_shared<internal::HandleAccount>(2, 100, [] {});
  const auto call_with_handle = [&](uint32_t id) {
    Frame frame = CallFrame(id, 1, 1);
    std::vector<OsHandle> handles;
    handles.push_back(FileWith("x"));
    account->Hold(1);
    frame.handles = internal::ReceivedHandles(std::move(handles), account);
    server_.transport->Inject(std::move(frame));
    executor_.Run();
  };
  call_with_handle(1);
  call_with_handle(2);
  EXPECT_FALSE(server_.end);
  call_with_handle(3);
  ASSERT_TRUE(server_.end);
  EXPECT_EQ(server_.end->code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(server_.end->message(),
              AllOf(HasSubstr("more than 2 OS handles"), HasSubstr("max_received_handles")));
}

TEST_F(SessionsTest, FloodBeforeTheConstructorAnswersEndsTheAssociation) {
  OpenWithConstructor();
  const Limits defaults;
  for (uint32_t id = 1; id <= 2 * defaults.max_calls + 1; ++id) {
    server_.transport->Inject(CallFrame(id, 1, 1));
  }
  executor_.Run();
  ASSERT_TRUE(server_.end);
  EXPECT_EQ(server_.end->code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(server_.end->message(), HasSubstr("before the session was open"));
}

TEST_F(SessionsTest, QuestionForASchemaIsNotAnsweredBeforeTheHello) {
  OpenWithConstructor();
  OutgoingMessage question;
  question.state().envelope.setDescribe(sample::kSampleProtocol.id);
  server_.transport->Inject(ToFrame(std::move(question)));
  executor_.Run();
  EXPECT_EQ(server_.transport->sent_count(), 0U);
  asked_.at(0).Accept();
  executor_.Run();
  const size_t hello_and_answer = 2;
  EXPECT_GE(server_.transport->sent_count(), hello_and_answer);
}

TEST_F(SessionsTest, KeyOfAWrongSizeEndsTheAssociation) {
  connector_config = [](auto& /*environment*/, auto& connecting) {
    connecting.session_key = "short";
  };
  Open();
  executor_.Run();
  ASSERT_TRUE(server_.end);
  EXPECT_THAT(server_.end->message(), HasSubstr("session key of 5 bytes"));
}

TEST_F(SessionsTest, ConnectorLearnsWhichSessionItIsIn) {
  uint64_t told = 0;
  connector_config = [&told](auto& /*environment*/, auto& connecting) {
    connecting.on_session = [&told](uint64_t id) { told = id; };
  };
  Open();
  executor_.Run();
  EXPECT_EQ(told, server_.association->session()->id());
}

}  // namespace
}  // namespace lwmsg::test
