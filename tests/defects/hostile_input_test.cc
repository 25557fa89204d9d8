#include "tests/hostile/fixture.h"

// The rows of the table of hostile input that tests/hostile does not have; README.md says which.
namespace lwmsg::test {
namespace {

class HostileInput : public HostilePeerTest {};

// A call of an object that the server may or may not have.
std::string ObjectCallFrame(uint32_t id, uint64_t object) {
  return EnvelopeFrame([&](auto envelope) {
    auto call = envelope.initCall();
    call.setId(id);
    call.setInterfaceId(capnp::typeId<sample::Object>());
    call.setObject(object);
    call.initParams().template initAs<sample::Object::AddParams>();
  });
}

std::string ReleaseFrame(uint64_t object, uint32_t count) {
  return EnvelopeFrame([&](auto envelope) {
    auto release = envelope.initRelease();
    release.setObject(object);
    release.setCount(count);
  });
}

std::string CreditFrame(uint32_t id, uint32_t items) {
  return EnvelopeFrame([&](auto envelope) {
    auto credit = envelope.initCredit();
    credit.setId(id);
    credit.setItems(items);
  });
}

TEST_F(HostileInput, HandleThatDoesNotExistIsAnswered) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(ObjectCallFrame(1, 4711));
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kInvalidHandle, {"4711", "does not exist"}));
  constexpr uint16_t kUse = 14;
  peer.Write(CallFrame(2, kUse, [](auto params) {
    auto object = params.template initAs<sample::Sample::UseParams>().initObject();
    object.setId(4711);
    object.setReceivers(true);
  }));
  EXPECT_TRUE(Says(AnswerTo(peer, 2), StatusCode::kInvalidHandle, {"4711"}));
  EXPECT_EQ(Echo(peer, 3), Status());
}

TEST_F(HostileInput, T14_HandleOfAnotherConnectionIsAsOneThatDoesNotExist) {
  Serve();
  std::optional<Handle<sample::Object>> made;
  sample::SampleClient(*bystander_).Make().Send([&](auto reply) {
    ASSERT_TRUE(reply) << reply.error();
    auto object = reply->takeObject();
    ASSERT_TRUE(object) << object.error();
    made = std::move(*object);
  });
  RunUntil([&] { return made.has_value(); });
  RawPeer peer = ConnectAndGreet();
  const uint64_t never = made->id() + 4711;
  peer.Write(ObjectCallFrame(1, made->id()) + ObjectCallFrame(2, never));
  const auto of_another = AnswerTo(peer, 1);
  const auto of_nobody = AnswerTo(peer, 2);
  ASSERT_TRUE(of_another && of_nobody);
  EXPECT_EQ(of_another->code(), StatusCode::kInvalidHandle);
  EXPECT_EQ(of_nobody->code(), StatusCode::kInvalidHandle);
  // But for the number, which the peer has chosen, they say the same.
  const auto without = [](std::string text, uint64_t id) {
    const std::string number = std::to_string(id);
    return text.replace(text.find(number), number.size(), "N");
  };
  EXPECT_EQ(without(of_another->message(), made->id()), without(of_nobody->message(), never));
  EXPECT_EQ(Echo(peer, 3), Status());
}

TEST_F(HostileInput, FloodOfReleasesAndCreditOfNothingIsIgnored) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  std::string frames;
  for (uint32_t i = 0; i < 1000; ++i) frames += ReleaseFrame(i, ~0U) + CreditFrame(i, ~0U);
  peer.Write(frames);
  EXPECT_EQ(Echo(peer, 3), Status());
}

TEST_F(HostileInput, FloodOfQuestionsAboutSchemasEndsTheAssociation) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  std::string frames;
  for (int i = 0; i < 300; ++i) {
    frames +=
        EnvelopeFrame([](auto envelope) { envelope.setDescribe(capnp::typeId<sample::Sample>()); });
  }
  peer.Write(frames);
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"the same schemas again and again"}));
  size_t answers = 0;
  for (const RawFrame& frame : peer.frames()) {
    if (!frame.envelope().isDescription()) continue;
    ++answers;
    EXPECT_EQ(frame.envelope().getDescription().getNodes().size(), 0U);
  }
  EXPECT_EQ(answers, 64U);
}

}  // namespace
}  // namespace lwmsg::test
