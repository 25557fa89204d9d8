#include <gmock/gmock.h>

#include "tests/conformance/pair.h"

// LWMsg's assoc tests 9 to 14: session objects, and messages that nobody understands.
namespace lwmsg::test {
namespace {

using ::testing::HasSubstr;

TEST_F(ConformancePair, C09_HandleEnforceLocalitySuccess) {
  Start();
  const auto mine = std::make_shared<State>(State{"mine", 0});
  auto lend = target().Lend();
  ASSERT_TRUE(lend->setState(mine).ok());
  auto reply = lend.Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(std::string(reply->getText()), "mine");
  EXPECT_EQ(listener_.brought, mine);
}

// Differs: the sender is told with kInvalidArgument, and its connection goes on.
TEST_F(ConformancePair, C10_HandleEnforceLocalityFailure) {
  Start();
  auto read = target().ReadText();
  ASSERT_TRUE(read->setState(std::make_shared<State>()).ok());
  auto reply = read.Sync();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), StatusCode::kInvalidArgument) << reply.error();
  EXPECT_THAT(reply.error().message(), HasSubstr("state"));

  auto lend = target().Lend();
  lend->setState(Open("the server's", 0));
  EXPECT_EQ(StatusOf(lend.Sync()).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(target().Ping().Sync());
}

TEST_F(ConformancePair, C11_HandlePingPong) {
  Start();
  auto first = target().Same().Sync().and_then([](auto reply) { return reply.takeState(); });
  auto second = target().Same().Sync().and_then([](auto reply) { return reply.takeState(); });
  ASSERT_TRUE(first) << first.error();
  ASSERT_TRUE(second) << second.error();
  EXPECT_EQ(*first, *second);
  EXPECT_NE(*first, Open("another", 0));
  // It is there as long as one of them.
  first = Handle<conformance::State>();
  EXPECT_EQ(ReadText(*second), "");
}

TEST_F(ConformancePair, C12_HandleNullSuccess) {
  Start();
  for (const bool absent : {true, false}) {
    auto maybe = target().Maybe();
    if (!absent) maybe->setState(Handle<conformance::State>());
    auto reply = maybe.Sync();
    ASSERT_TRUE(reply) << reply.error();
    EXPECT_TRUE(reply->getNone());
    EXPECT_EQ(reply->takeState().error().code(), StatusCode::kNotFound);
  }
}

// Differs: there is no message for the handler to find out; the call fails before it.
TEST_F(ConformancePair, C13_HandleErrorSyntheticMessage) {
  Start();
  const auto state = Open("gone", 0);
  // Both are under way before the first is answered: the name goes while the peer sends it back.
  std::optional<Status> closed;
  auto close = target().Close();
  close->setState(state);
  close.Send([&closed](const auto& reply) { closed = StatusOf(reply); });
  EXPECT_EQ(ReadText(state).error().code(), StatusCode::kInvalidHandle);
  EXPECT_EQ(closed, Status());
  EXPECT_TRUE(target().Ping().Sync());
}

// Differs: generated code has no unknown tags; what the peer does not serve it answers with
// kUnimplemented, and what breaks the schema fails here with kInvalidArgument.
TEST_F(ConformancePair, C14_MalformedSyntheticMessage) {
  Start();
  auto unknown = conformance::ElsewhereClient(*client_).Ping().Sync();
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), StatusCode::kUnimplemented) << unknown.error();
  EXPECT_TRUE(target().Ping().Sync());
}

}  // namespace
}  // namespace lwmsg::test
