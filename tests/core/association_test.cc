#include <gmock/gmock.h>

#include <fstream>

#include "tests/core/harness.h"

namespace lwmsg::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(AssociationTest, CallGetsItsReply) {
  Open();
  EXPECT_EQ(Echo(), Status());
  EXPECT_EQ(client_.association->state(), Association::State::kOpen);
  EXPECT_EQ(server_.association->state(), Association::State::kOpen);
}

TEST_F(AssociationTest, CallMayBeSentBeforeHelloWasAnswered) {
  Open();
  OutcomeOf<sample::SampleClient::NothingRequest> outcome;
  Client().Nothing().Send(outcome.Callback());
  EXPECT_EQ(client_.association->state(), Association::State::kGreeting);
  executor_.Run();
  EXPECT_EQ(outcome.code(), StatusCode::kOk);
}

TEST_F(AssociationTest, CallbackNeverRunsInsideSend) {
  Open();
  OutcomeOf<sample::SampleClient::NothingRequest> outcome;
  Client().Nothing().Send(outcome.Callback());
  EXPECT_EQ(outcome.count(), 0);
  client_.association->Close(Status());
  EXPECT_EQ(outcome.count(), 1);
  OutcomeOf<sample::SampleClient::NothingRequest> late;
  Client().Nothing().Send(late.Callback());
  EXPECT_EQ(late.count(), 0);
  executor_.Run();
  EXPECT_EQ(late.code(), StatusCode::kUnavailable);
}

TEST_F(AssociationTest, RequestsAreDispatchedInOrderAndAnsweredInAny) {
  Open();
  std::vector<std::string> answers;
  for (const char* text : {"a", "b", "c"}) {
    auto keep = Client().Keep();
    keep->setText(text);
    keep.Send([&answers](auto reply) { answers.emplace_back(reply->getText().cStr()); });
  }
  executor_.Run();
  ASSERT_EQ(sample_.kept.size(), 3U);
  for (int i : {2, 0, 1}) {
    auto& call = sample_.kept[i];
    call.results().setText(call->getText());
    call.Reply();
  }
  executor_.Run();
  EXPECT_THAT(answers, ElementsAre("c", "a", "b"));
}

TEST_F(AssociationTest, FailureCarriesCodeAndText) {
  Open();
  auto fail = Client().Fail();
  fail->setCode(static_cast<uint16_t>(StatusCode::kPermissionDenied));
  fail->setText("only on Sundays");
  auto reply = CallNow(std::move(fail));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error(), Status(StatusCode::kPermissionDenied, "only on Sundays"));
}

TEST_F(AssociationTest, FailureWithStatusOkIsInternalError) {
  Open();
  auto reply = CallNow(Client().Fail());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error().code(), StatusCode::kInternal);
}

TEST_F(AssociationTest, DroppedCallAnswersAborted) {
  Open();
  auto reply = CallNow(Client().Forget());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error().code(), StatusCode::kAborted);
  EXPECT_THAT(reply->error().message(), HasSubstr("Sample.forget"));
}

TEST_F(AssociationTest, DroppedLaterAnswersAborted) {
  Open();
  OutcomeOf<sample::SampleClient::KeepRequest> outcome;
  Client().Keep().Send(outcome.Callback());
  executor_.Run();
  EXPECT_EQ(outcome.count(), 0);
  sample_.kept.clear();
  executor_.Run();
  EXPECT_EQ(outcome.code(), StatusCode::kAborted);
}

TEST_F(AssociationTest, SecondAnswerIsIgnored) {
  Open();
  OutcomeOf<sample::SampleClient::KeepRequest> outcome;
  Client().Keep().Send(outcome.Callback());
  executor_.Run();
  sample_.kept[0].Fail(StatusCode::kNotFound, "first");
  sample_.kept[0].Reply();
  sample_.kept.clear();
  executor_.Run();
  EXPECT_EQ(outcome.count(), 1);
  EXPECT_EQ(outcome.message(), "first");
  EXPECT_EQ(Echo(), Status());
}

TEST_F(AssociationTest, ExceptionOfHandlerIsItsAnswer) {
  Open();
  for (const auto& [what, code] : {std::pair{"boom", StatusCode::kInternal},
                                   {"int", StatusCode::kInternal},
                                   {"kj", StatusCode::kMalformed}}) {
    auto throwing = Client().Throwing();
    throwing->setWhat(what);
    auto reply = CallNow(std::move(throwing));
    ASSERT_TRUE(reply) << what;
    EXPECT_EQ(reply->error().code(), code) << reply->error();
  }
  EXPECT_EQ(Echo(), Status());
}

TEST_F(AssociationTest, ExceptionAfterTheReplyIsNoAnswerToTheNextCall) {
  Open();
  ASSERT_EQ(Echo(), Status());
  const uint64_t sample = sample::kSampleProtocol.id;
  sample_.on_block = [&](sample::SampleService::BlockCall call) {
    call.Reply();
    // The caller has the reply, and may use the id again.
    server_.transport->Inject(CallFrame(99, sample, 5));
    executor_.Run();
    throw std::runtime_error("late");
  };
  server_.transport->Mute();
  server_.transport->Inject(CallFrame(99, sample, 18));
  executor_.Run();
  ASSERT_EQ(sample_.kept.size(), 1U);
  EXPECT_EQ(server_.association->Describe().incoming.size(), 1U);
}

TEST_F(AssociationTest, OneWayCallArrivesAndHasNoReply) {
  Open();
  auto log = Client().Log();
  log->setText("note");
  EXPECT_EQ(log.Send(), Status());
  executor_.Run();
  EXPECT_THAT(sample_.logged, ElementsAre("note"));
  EXPECT_EQ(server_.transport->sent_count(), 1U) << "more than the hello";
}

TEST_F(AssociationTest, HandlerCallsItsCallerInACoroutine) {
  Open();
  auto call_back = Client().CallBack();
  call_back->setRounds(100);
  auto reply = CallNow(std::move(call_back));
  ASSERT_TRUE(reply && *reply);
  EXPECT_EQ((*reply)->getRounds(), 100U);
  EXPECT_EQ(listener_.count, 100U);
}

TEST_F(AssociationTest, OsHandlesGoBothWays) {
  Open();
  auto give = Client().Give();
  give->setFirst(FileWith("one "));
  give->setSecond(FileWith("two"));
  auto given = CallNow(std::move(give));
  ASSERT_TRUE(given && *given);
  EXPECT_EQ((*given)->getContent(), "one two");

  const TemporaryFolder folder;
  std::ofstream(folder.Path("file")) << "content";
  auto open = Client().Open();
  open->setPath(folder.Path("file"));
  auto opened = CallNow(std::move(open));
  ASSERT_TRUE(opened && *opened);
  auto file = (*opened)->takeFile();
  ASSERT_TRUE(file) << file.error();
  EXPECT_THAT(ReadAll(*file), HasSubstr("content"));
  EXPECT_EQ((*opened)->takeFile().error().code(), StatusCode::kFailedPrecondition);
}

TEST_F(AssociationTest, OsHandlesAtAnyDepth) {
  Open();
  auto collect = Client().Collect();
  auto items = collect->initItems(2);
  collect.Put(items[0].getFile(), FileWith("a"));
  auto children = items[1].initChildren(2);
  collect.Put(children[0].getFile(), FileWith("b"));
  collect.Put(children[1].initChildren(1)[0].getFile(), FileWith("c"));
  auto reply = CallNow(std::move(collect));
  ASSERT_TRUE(reply && *reply);
  std::string content;
  for (auto item : (*reply)->getItems()) {
    auto file = (*reply)->Take(item.getFile());
    ASSERT_TRUE(file) << file.error();
    content += ReadAll(*file);
  }
  EXPECT_EQ(content, "abc");
}

TEST_F(AssociationTest, OsHandleThatNobodyTakesIsClosed) {
  Open();
  auto echo = Client().Collect();
  echo.Put(echo->initItems(1)[0].getFile(), FileWith("x"));
  // Neither the reply's handle nor, after the test, any other is left: see the inventory.
  auto reply = CallNow(std::move(echo));
  ASSERT_TRUE(reply && *reply);
}

TEST_F(AssociationTest, AbsentOsHandleIsNotFound) {
  Open();
  auto open = Client().Open();
  open->setPath("/nonexistent");
  EXPECT_EQ(CallNow(std::move(open))->error().code(), StatusCode::kNotFound);
  auto give = Client().Give();
  give->setSecond(FileWith("only"));
  EXPECT_EQ((*CallNow(std::move(give)))->getContent(), "only");
}

TEST_F(AssociationTest, SyncOnALoopIsRefused) {
  Open();
  auto reply = Client().Nothing().Sync();
  EXPECT_EQ(reply.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(reply.error().message(), HasSubstr("BlockingClient"));
}

Task AwaitEcho(sample::SampleClient client, std::string& text, Status& status) {
  auto echo = client.Echo();
  echo->setText("in a coroutine");
  auto reply = co_await echo.Send();
  if (reply) text = reply->getText();
  if (!reply) status = reply.error();
}

TEST_F(AssociationTest, CoroutineAwaitsReply) {
  Open();
  std::string text;
  Status status;
  AwaitEcho(Client(), text, status);
  EXPECT_EQ(text, "");
  executor_.Run();
  EXPECT_EQ(text, "in a coroutine");
}

TEST_F(AssociationTest, CoroutineIsResumedWhenItsAssociationGoes) {
  Open();
  std::string text;
  Status status;
  AwaitEcho(Client(), text, status);
  client_.association.reset();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  AwaitEcho(sample::SampleClient(Channel()), text, status);
  EXPECT_THAT(status.message(), HasSubstr("gone"));
}

TEST_F(AssociationTest, ResultsBehindTheReplyGoNowhere) {
  Open();
  auto keep = Client().Keep();
  using Reply = decltype(keep.Sync());
  Outcome<Reply> outcome;
  keep.Send(outcome.Callback());
  executor_.Run();
  ASSERT_EQ(sample_.kept.size(), 1U);
  auto& call = sample_.kept[0];
  call.results().setText("right");
  call.Reply();
  call.results().setText(std::string(4000, 'x'));
  call.Reply();
  executor_.Run();
  ASSERT_EQ(outcome.count(), 1);
  EXPECT_EQ(outcome.reply()->getText(), "right");
  EXPECT_EQ(Echo(), Status());
}

}  // namespace
}  // namespace lwmsg::test
