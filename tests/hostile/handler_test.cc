#include "tests/hostile/fixture.h"

// Services that misbehave: the caller is told, and the association lives on.
namespace lwmsg::test {
namespace {

class HostileHandlerTest : public HostilePeerTest {
 protected:
  // What a call of `method` with the text `what` is answered, if it has one.
  std::optional<Status> AnswerOf(uint16_t method, const std::string& what) {
    RawPeer peer = ConnectAndGreet();
    peer.Write(CallFrame(9, method, [&](auto params) {
      params.template initAs<sample::Sample::ThrowingParams>().setWhat(what);
    }));
    auto answer = AnswerTo(peer, 9);
    EXPECT_EQ(Echo(peer, 10), Status());
    return answer;
  }
};

TEST_F(HostileHandlerTest, ThatThrowsAnExceptionIsInternal) {
  Serve();
  EXPECT_TRUE(Says(AnswerOf(kThrowing, "the disk is on fire"), StatusCode::kInternal,
                   {"Sample.throwing", "the handler threw", "the disk is on fire"}));
}

TEST_F(HostileHandlerTest, ThatThrowsAnIntIsInternal) {
  Serve();
  EXPECT_TRUE(Says(AnswerOf(kThrowing, "int"), StatusCode::kInternal,
                   {"Sample.throwing", "the handler threw", "no std::exception"}));
}

TEST_F(HostileHandlerTest, WhoseAccessorThrowsIsMalformed) {
  Serve();
  EXPECT_TRUE(Says(AnswerOf(kThrowing, "kj"), StatusCode::kMalformed,
                   {"Sample.throwing", "could not read the request", "accessor on bad data"}));
}

TEST_F(HostileHandlerTest, ThatForgetsToAnswerIsAborted) {
  Serve();
  EXPECT_TRUE(
      Says(AnswerOf(kForget, ""), StatusCode::kAborted, {"Sample.forget", "without an answer"}));
}

TEST_F(HostileHandlerTest, ThatAnswersAfterThePeerHasGoneHarmsNobody) {
  Serve();
  {
    RawPeer peer = ConnectAndGreet();
    peer.Write(CallFrame(1, kKeep));
    RunUntil([&] { return !sample_.kept.empty(); });
  }
  RunUntil([&] { return AttackersAreGone(); });
  EXPECT_TRUE(sample_.kept[0].cancelled());
  sample_.kept[0].Reply();
  sample_.kept.clear();
  EXPECT_EQ(ends_.size(), 1U);
}

}  // namespace
}  // namespace lwmsg::test
