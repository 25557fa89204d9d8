#include <gmock/gmock.h>

#include "tests/core/harness.h"

// How calls and associations end: cancel, deadline, goodbye, loss, destruction.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using KeepOutcome = OutcomeOf<sample::SampleClient::KeepRequest>;

TEST_F(AssociationTest, CancelEndsTheCallAndTellsTheHandler) {
  Open();
  KeepOutcome outcome;
  PendingCall pending = Client().Keep().Send(outcome.Callback());
  executor_.Run();
  int cancels = 0;
  sample_.kept[0].OnCancel([&cancels] { ++cancels; });
  EXPECT_FALSE(sample_.kept[0].cancelled());
  pending.Cancel();
  pending.Cancel();
  EXPECT_EQ(outcome.count(), 0) << "called back inside Cancel";
  executor_.Run();
  EXPECT_EQ(outcome.code(), StatusCode::kCancelled);
  EXPECT_EQ(outcome.count(), 1);
  EXPECT_EQ(cancels, 1);
  EXPECT_TRUE(sample_.kept[0].cancelled());
  sample_.kept[0].Reply();  // Late, and ignored.
  executor_.Run();
  EXPECT_EQ(Echo(), Status());
}

TEST_F(AssociationTest, CancelAfterTheEndDoesNothing) {
  Open();
  OutcomeOf<sample::SampleClient::NothingRequest> outcome;
  PendingCall pending = Client().Nothing().Send(outcome.Callback());
  executor_.Run();
  pending.Cancel();
  executor_.Run();
  EXPECT_EQ(outcome.count(), 1);
  client_.association.reset();
  pending.Cancel();
}

TEST_F(AssociationTest, CancelAfterTheEndDoesNothingToACallWithTheSameId) {
  Open();
  const auto only_id = [this] {
    const auto calls = client_.association->Describe().outgoing;
    return calls.size() == 1 ? calls[0].id : 0;
  };
  const PendingCall old = Client().Nothing().Send([](auto) {});
  const uint32_t id = only_id();
  executor_.Run();
  while (true) {
    // Ids come again after a while.
    KeepOutcome outcome;
    const PendingCall pending = Client().Keep().Send(outcome.Callback());
    executor_.Run();
    const bool same = only_id() == id;
    if (same) old.Cancel();
    if (same) old.GiveCredit(1);
    executor_.Run();
    ASSERT_EQ(outcome.count(), 0);
    sample_.kept.clear();
    executor_.Run();
    ASSERT_EQ(outcome.code(), StatusCode::kAborted);
    if (same) break;
  }
}

TEST_F(AssociationTest, OnCancelAfterCancelRunsAtOnce) {
  Open();
  KeepOutcome outcome;
  PendingCall pending = Client().Keep().Send(outcome.Callback());
  executor_.Run();
  pending.Cancel();
  executor_.Run();
  bool ran = false;
  sample_.kept[0].OnCancel([&ran] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST_F(AssociationTest, DeadlineEndsTheCallOnBothSides) {
  Open();
  KeepOutcome outcome;
  auto keep = Client().Keep();
  keep.set_timeout(milliseconds(500));
  keep.Send(outcome.Callback());
  executor_.Run();
  bool cancelled = false;
  sample_.kept[0].OnCancel([&cancelled] { cancelled = true; });
  executor_.Advance(milliseconds(499));
  EXPECT_EQ(outcome.count(), 0);
  EXPECT_FALSE(cancelled);
  executor_.Advance(milliseconds(1));
  EXPECT_EQ(outcome.code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(outcome.message(), HasSubstr("Sample.keep"));
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(Echo(), Status());
}

TEST_F(AssociationTest, HandlerLearnsTheDeadlineWithoutACancelFromThePeer) {
  Open();
  KeepOutcome outcome;
  auto keep = Client().Keep();
  keep.set_timeout(milliseconds(500));
  keep.Send(outcome.Callback());
  executor_.Run();
  client_.transport->Break(Status());  // Nothing of the client comes through any more.
  bool cancelled = false;
  sample_.kept[0].OnCancel([&cancelled] { cancelled = true; });
  executor_.Advance(milliseconds(500));
  EXPECT_TRUE(cancelled);
}

TEST_F(AssociationTest, CallsHaveADeadlineByDefaultAndNoneIfZero) {
  Open({.call_timeout = milliseconds(100)});
  KeepOutcome with;
  KeepOutcome without;
  Client().Keep().Send(with.Callback());
  auto keep = Client().Keep();
  keep.set_timeout(milliseconds(0));
  keep.Send(without.Callback());
  executor_.Advance(std::chrono::hours(10));
  EXPECT_EQ(with.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(without.count(), 0);
  sample_.kept[1].Fail(StatusCode::kNotFound, "at last");
  executor_.Run();
  EXPECT_EQ(without.code(), StatusCode::kNotFound);
}

TEST_F(AssociationTest, ManyDeadlinesEndInOrder) {
  Open();
  std::vector<int> order;
  for (int timeout : {30, 10, 20}) {
    auto keep = Client().Keep();
    keep.set_timeout(milliseconds(timeout));
    keep.Send([&order, timeout](auto) { order.push_back(timeout); });
  }
  executor_.Advance(milliseconds(15));
  EXPECT_THAT(order, ::testing::ElementsAre(10));
  executor_.Advance(milliseconds(100));
  EXPECT_THAT(order, ::testing::ElementsAre(10, 20, 30));
}

TEST_F(AssociationTest, CloseTellsThePeerWhy) {
  Open();
  KeepOutcome outcome;
  Client().Keep().Send(outcome.Callback());
  executor_.Run();
  server_.association->Close(Status(StatusCode::kPermissionDenied, "go away"));
  executor_.Run();
  EXPECT_EQ(outcome.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(outcome.message(), HasSubstr("go away"));
  ASSERT_TRUE(client_.end && server_.end);
  EXPECT_THAT(client_.end->message(), HasSubstr("go away"));
  EXPECT_EQ(server_.end->message(), "go away");
}

TEST_F(AssociationTest, LostConnectionEndsCallsInBothDirections) {
  Open();
  auto call_back = Client().CallBack();
  call_back->setRounds(1);
  OutcomeOf<sample::SampleClient::CallBackRequest> outcome;
  call_back.Send(outcome.Callback());
  KeepOutcome kept;
  Client().Keep().Send(kept.Callback());
  executor_.Run();
  bool cancelled = false;
  sample_.kept[0].OnCancel([&cancelled] { cancelled = true; });
  client_.transport->Break(Status(StatusCode::kUnavailable, "cable cut"));
  executor_.Run();
  EXPECT_EQ(kept.code(), StatusCode::kUnavailable);
  EXPECT_EQ(kept.message(), "cable cut");
  EXPECT_TRUE(cancelled);
  ASSERT_TRUE(client_.end && server_.end);
  sample_.kept[0].Reply();  // To nobody.
  executor_.Run();
}

TEST_F(AssociationTest, DestroyedAssociationEndsEachCallOnce) {
  Open();
  KeepOutcome first;
  KeepOutcome second;
  Client().Keep().Send(first.Callback());
  Client().Keep().Send(second.Callback());
  executor_.Run();
  client_.association.reset();
  EXPECT_EQ(first.code(), StatusCode::kUnavailable);
  EXPECT_EQ(second.code(), StatusCode::kUnavailable);
  executor_.Run();
  ASSERT_TRUE(server_.end);
  EXPECT_THAT(server_.end->message(), HasSubstr("closed"));
}

TEST_F(AssociationTest, MayBeDestroyedInItsOwnReplyCallback) {
  Open();
  int count = 0;
  for (int i = 0; i < 3; ++i) {
    Client().Nothing().Send([&](auto) {
      ++count;
      client_.association.reset();
    });
  }
  executor_.Run();
  EXPECT_EQ(count, 3);
}

TEST_F(AssociationTest, MayBeDestroyedInItsOwnHandler) {
  Open();
  sample_.on_keep = [this] { server_.association.reset(); };
  KeepOutcome outcome;
  Client().Keep().Send(outcome.Callback());
  executor_.Run();
  EXPECT_EQ(outcome.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(sample_.kept[0].cancelled());
  EXPECT_EQ(sample_.kept[0].channel().target(), nullptr);
  sample_.kept.clear();
}

TEST_F(AssociationTest, MayBeDestroyedWhileItsHandlerThrows) {
  Open();
  sample_.on_keep = [this] {
    server_.association.reset();
    throw std::runtime_error("and now this");
  };
  KeepOutcome outcome;
  Client().Keep().Send(outcome.Callback());
  executor_.Run();
  EXPECT_EQ(outcome.code(), StatusCode::kUnavailable);
}

TEST_F(AssociationTest, MayBeDestroyedInAnotherCallsCancelCallback) {
  Open();
  KeepOutcome outcome;
  Client().Keep().Send(outcome.Callback());
  Client().Keep().Send(outcome.Callback());
  executor_.Run();
  for (auto& call : sample_.kept) call.OnCancel([this] { server_.association.reset(); });
  client_.transport->Break(Status());
  executor_.Run();
  EXPECT_EQ(outcome.count(), 2);
  EXPECT_EQ(server_.association, nullptr);
}

TEST_F(AssociationTest, DrainAnswersWhatIsInHandAndTakesNoMore) {
  Open();
  KeepOutcome outcome;
  Client().Keep().Send(outcome.Callback());
  executor_.Run();
  server_.association->Drain();
  auto refused = CallNow(Client().Nothing());
  EXPECT_EQ(refused->error().code(), StatusCode::kUnavailable);
  EXPECT_FALSE(server_.end);
  sample_.kept[0].Reply();
  executor_.Run();
  EXPECT_EQ(outcome.code(), StatusCode::kOk);
  ASSERT_TRUE(server_.end);
  EXPECT_TRUE(server_.end->ok());
}

TEST_F(AssociationTest, DrainingSideMakesNoNewCalls) {
  Open();
  KeepOutcome outcome;
  Client().Keep().Send(outcome.Callback());
  executor_.Run();
  client_.association->Drain();
  auto refused = CallNow(Client().Nothing());
  EXPECT_EQ(refused->error().code(), StatusCode::kUnavailable);
  EXPECT_THAT(refused->error().message(), HasSubstr("is ending"));
  EXPECT_FALSE(client_.end);
  sample_.kept[0].Reply();
  executor_.Run();
  EXPECT_EQ(outcome.code(), StatusCode::kOk);
  ASSERT_TRUE(client_.end);
  EXPECT_TRUE(client_.end->ok());
}

TEST_F(AssociationTest, NothingIsLeftToDoAfterTheEnd) {
  Open();
  ASSERT_EQ(Echo(), Status());
  client_.association->Close(Status());
  executor_.Run();
  EXPECT_TRUE(executor_.idle()) << "a timer or task is left";
}

}  // namespace
}  // namespace lwmsg::test
