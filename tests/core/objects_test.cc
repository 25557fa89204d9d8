#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lwmsg/internal/message_state.h"
#include "tests/core/harness.h"

namespace lwmsg::test {
namespace {

using ::testing::HasSubstr;
using ObjectHandle = Handle<sample::Object>;

class ObjectsTest : public AssociationTest {
 protected:
  // A new object of the server, as the client got its name.
  ObjectHandle Make() {
    auto made = CallNow(Client().Make());
    auto handle = (*made)->takeObject();
    EXPECT_TRUE(handle) << handle.error();
    return *handle;
  }
  Result<uint32_t> Use(const ObjectHandle& handle) {
    auto use = Client().Use();
    use->setObject(handle);
    auto reply = *CallNow(std::move(use));
    if (!reply) return Error(reply.error());
    return reply->getCount();
  }
  size_t ServerObjects() { return server_.association->session()->object_count(); }
};

TEST_F(ObjectsTest, LivesUntilItsNameIsTakenBack) {
  Open();
  const ObjectHandle handle = Make();
  EXPECT_EQ(Use(handle), 1U);
  EXPECT_EQ(Use(handle), 2U);
  EXPECT_EQ(ServerObjects(), 1U);
  auto drop = Client().Drop();
  drop->setObject(handle);
  EXPECT_TRUE(*CallNow(std::move(drop)));
  EXPECT_EQ(Use(handle).error().code(), StatusCode::kInvalidHandle);
  EXPECT_EQ(ServerObjects(), 0U);
}

TEST_F(ObjectsTest, GoesWhenTheLastCopyOfItsNameGoes) {
  Open();
  {
    const ObjectHandle handle = Make();
    const ObjectHandle copy = handle;  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_EQ(ServerObjects(), 1U);
    EXPECT_EQ(Use(copy), 1U);
  }
  executor_.Run();
  EXPECT_EQ(ServerObjects(), 0U);
  EXPECT_TRUE(sample_.made.expired());
}

TEST_F(ObjectsTest, GoesWhenNobodyTakesItsName) {
  Open();
  ASSERT_TRUE(*CallNow(Client().Make()));
  executor_.Run();
  EXPECT_EQ(ServerObjects(), 0U);
}

TEST_F(ObjectsTest, NeverGetsANameInAReplyThatWasNotSent) {
  Open();
  {
    auto message = OutgoingMessage::ForReply(0, 0);
    message.handles().set_session(server_.association->session());
    auto results = message.payload().initAs<sample::Sample::MakeResults>();
    ASSERT_TRUE(message.handles().Register(results.getObject(), std::make_shared<Counter>()).ok());
    EXPECT_EQ(ServerObjects(), 1U);
  }
  EXPECT_EQ(ServerObjects(), 0U);
}

TEST_F(ObjectsTest, IsTheSameWhenItIsNamedTwice) {
  Open();
  const ObjectHandle first = Make();
  auto again = CallNow(sample::ObjectClient(first).Object());
  auto second = (*again)->takeObject();
  ASSERT_TRUE(second);
  EXPECT_EQ(*second, first);
  EXPECT_EQ(ServerObjects(), 1U);
  second = Error(StatusCode::kNotFound, "let go");
  executor_.Run();
  EXPECT_EQ(Use(first), 1U);
}

TEST_F(ObjectsTest, ItsMethodsAreCalledThroughItsName) {
  Open();
  sample::ObjectClient object(Make());
  for (const uint32_t expected : {5U, 10U}) {
    auto add = object.Add();
    add->setAmount(5);
    EXPECT_EQ((*CallNow(std::move(add)))->getCount(), expected);
  }
  EXPECT_EQ(ServerObjects(), 1U) << "the client keeps the name";
}

TEST_F(ObjectsTest, StaysWhileACallOfItIsInHand) {
  Open();
  std::optional<uint32_t> count;
  bool ended = false;
  {
    const ObjectHandle handle = Make();
    sample_.made.lock()->on_end = [&ended] { ended = true; };
    auto add = sample::ObjectClient(handle).Add();
    add->setAmount(3);
    add.Send([&count](auto reply) {
      if (reply) count = reply->getCount();
    });
  }
  executor_.Run();
  EXPECT_EQ(count, 3U) << "the name was let go of right behind the call";
  EXPECT_TRUE(ended);
}

TEST_F(ObjectsTest, ThatNeverWasIsInvalid) {
  Open();
  const ObjectHandle forged(client_.association->channel(), 77, nullptr);
  EXPECT_EQ(Use(forged).error().code(), StatusCode::kInvalidHandle);
  EXPECT_THAT(Use(forged).error().message(), HasSubstr("77"));
  auto add = CallNow(sample::ObjectClient(forged).Add());
  EXPECT_EQ(add->error().code(), StatusCode::kInvalidHandle);
}

TEST_F(ObjectsTest, OfAnotherKindHasNoSuchMethods) {
  Open();
  const ObjectHandle handle = Make();
  auto notify = CallNow(sample::ListenerClient(handle.channel()).Notify());
  EXPECT_EQ(notify->error().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(notify->error().message(), HasSubstr("is a Object"));
}

TEST_F(ObjectsTest, OfTheCallerIsNotOneOfTheCallee) {
  Open();
  auto use = Client().Use();
  ASSERT_TRUE(use->setObject(std::make_shared<Counter>()).ok());
  auto reply = CallNow(std::move(use));
  EXPECT_EQ(reply->error().code(), StatusCode::kInvalidHandle);
  EXPECT_THAT(reply->error().message(), HasSubstr("the caller's own"));
}

TEST_F(ObjectsTest, NameIsTakenOnce) {
  Open();
  auto made = CallNow(Client().Make());
  auto handle = (*made)->takeObject();
  ASSERT_TRUE(handle);
  EXPECT_EQ((*made)->takeObject().error().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Use(*handle), 1U);
}

TEST_F(ObjectsTest, OfTheClientIsCalledByTheServer) {
  Open();
  auto own = std::make_shared<ListenerService>();
  auto call = Client().CallObject();
  ASSERT_TRUE(call->setListener(own).ok());
  call->setRounds(5);
  EXPECT_EQ((*CallNow(std::move(call)))->getRounds(), 5U);
  EXPECT_EQ(own->count, 5U);
  EXPECT_EQ(client_.association->session()->object_count(), 0U) << "the server let go of it";
}

TEST_F(ObjectsTest, NoMoreThanTheLimit) {
  Limits limits;
  limits.max_objects = 1;
  Open({}, limits);
  const ObjectHandle first = Make();
  auto second = CallNow(Client().Make());
  EXPECT_EQ(second->error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(second->error().message(), HasSubstr("Limits::max_objects"));
}

TEST_F(ObjectsTest, ReleaseOfMoreCopiesThanWereSentEndsTheAssociation) {
  Open();
  const ObjectHandle handle = Make();
  OutgoingMessage message;
  auto release = message.state().envelope.initRelease();
  release.setObject(handle.id());
  release.setCount(2);
  server_.transport->Inject(ToFrame(std::move(message)));
  executor_.Run();
  ASSERT_TRUE(server_.end);
  EXPECT_EQ(server_.end->code(), StatusCode::kMalformed);
  EXPECT_THAT(server_.end->message(), HasSubstr("release of 2 copies"));
}

TEST_F(ObjectsTest, GoWithTheAssociation) {
  Open();
  const ObjectHandle handle = Make();
  client_.association->Close(Status());
  executor_.Run();
  EXPECT_TRUE(sample_.made.expired());
}

}  // namespace
}  // namespace lwmsg::test
