#include <capnp/schema.h>

#include "tests/hostile/fixture.h"

// Sound frames that break the order or the rules of schema/wire.capnp.
namespace lwmsg::test {
namespace {

class HostileEnvelopeTest : public HostilePeerTest {
 protected:
  std::optional<Status> GoodbyeAfter(const std::string& frame) {
    RawPeer peer = ConnectAndGreet();
    peer.Write(frame);
    return GoodbyeTo(peer);
  }
};

TEST_F(HostileEnvelopeTest, AnythingBeforeHelloEndsTheAssociation) {
  Serve();
  constexpr uint64_t kSample = capnp::typeId<sample::Sample>();
  const std::string question = EnvelopeFrame([](auto envelope) { envelope.setDescribe(kSample); });
  const std::string answer =
      EnvelopeFrame([](auto envelope) { envelope.initDescription().setInterfaceId(kSample); });
  for (const std::string& frame :
       {CallFrame(1, kKeep), EchoReplyFrame(1, "text"), CancelFrame(1), question, answer}) {
    RawPeer peer = Connect();
    peer.Write(frame);
    EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"the first frame is not a hello"}));
    EXPECT_EQ(peer.frames().size(), 1U) << "it was answered";
  }
  EXPECT_TRUE(sample_.kept.empty());
}

TEST_F(HostileEnvelopeTest, SecondHelloEndsTheAssociation) {
  Serve();
  EXPECT_TRUE(Says(GoodbyeAfter(HelloFrame()), StatusCode::kMalformed, {"a second hello"}));
}

TEST_F(HostileEnvelopeTest, WhatBrokeTheRulesFirstIsTheReasonWhateverComesBehind) {
  Serve();
  const std::string garbage(64, 'x');
  EXPECT_TRUE(
      Says(GoodbyeAfter(HelloFrame() + garbage), StatusCode::kMalformed, {"a second hello"}));
}

TEST_F(HostileEnvelopeTest, UnknownMethodIsAnswered) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(CallFrame(1, 999));
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kUnimplemented, {"Sample", "999", "only 26"}));
  EXPECT_EQ(Echo(peer, 2), Status());
}

TEST_F(HostileEnvelopeTest, UnknownInterfaceIsAnsweredWithWhatIsServed) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(EnvelopeFrame([](auto envelope) {
    auto call = envelope.initCall();
    call.setId(1);
    call.setInterfaceId(0xFEEDFACECAFEBEEF);
  }));
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kUnimplemented,
                   {"0xfeedfacecafebeef", "is not served here", "Sample"}));
  EXPECT_EQ(Echo(peer, 2), Status());
}

TEST_F(HostileEnvelopeTest, T06_UnknownKindOfEnvelopeIsNamed) {
  Serve();
  const auto node = capnp::Schema::from<wire::Envelope>().getProto().getStruct();
  std::string frame = CancelFrame(1);
  PutNumber(frame, kEnvelopeOffset + 2 * node.getDiscriminantOffset(), uint16_t{777});
  EXPECT_TRUE(Says(GoodbyeAfter(frame), StatusCode::kMalformed, {"unknown kind 777", "feature"}));
}

TEST_F(HostileEnvelopeTest, OneWayMethodCalledForAReplyIsRefused) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(CallFrame(1, kLog));
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kMalformed, {"Sample.log", "is one-way"}));
  EXPECT_TRUE(sample_.logged.empty());
  EXPECT_EQ(Echo(peer, 2), Status());
}

TEST_F(HostileEnvelopeTest, MethodWithAReplyCalledOneWayIsNotDispatched) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(CallFrame(0, kKeep));
  EXPECT_EQ(Echo(peer, 2), Status());
  EXPECT_TRUE(sample_.kept.empty());
  EXPECT_FALSE(peer.ReplyTo(0));
}

TEST_F(HostileEnvelopeTest, T12_CallIdThatIsInUseEndsTheAssociation) {
  Serve();
  bool cancelled = false;
  sample_.on_keep = [&] { sample_.kept[0].OnCancel([&] { cancelled = true; }); };
  RawPeer peer = ConnectAndGreet();
  peer.Write(CallFrame(5, kKeep) + EchoFrame(5, "text"));
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"call id 5 is in use"}));
  EXPECT_TRUE(cancelled);
}

TEST_F(HostileEnvelopeTest, T12_CancelledCallIdStaysInUse) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(CallFrame(5, kKeep) + CancelFrame(5) + EchoFrame(5, "text"));
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"call id 5 is in use"}));
}

TEST_F(HostileEnvelopeTest, T12_ReplyToNoCallEndsTheAssociation) {
  Serve();
  for (const uint32_t id : {0U, 1U, kFirstCallId, ~0U}) {
    EXPECT_TRUE(Says(GoodbyeAfter(EchoReplyFrame(id, "text")), StatusCode::kMalformed,
                     {"reply to call id " + std::to_string(id), "waits for none"}));
  }
}

TEST_F(HostileEnvelopeTest, CancelOfNoCallIsIgnored) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(CancelFrame(0) + CancelFrame(1) + CancelFrame(~0U));
  EXPECT_EQ(Echo(peer, 2), Status());
}

TEST_F(HostileEnvelopeTest, TimeoutOfAllBitsIsNoDeadline) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(EnvelopeFrame([](auto envelope) {
    auto call = envelope.initCall();
    call.setId(1);
    call.setInterfaceId(capnp::typeId<sample::Sample>());
    call.setMethod(kKeep);
    call.setTimeoutMicros(~uint64_t{0});
  }));
  EXPECT_EQ(Echo(peer, 2), Status());
  ASSERT_EQ(sample_.kept.size(), 1U);
  EXPECT_FALSE(sample_.kept[0].cancelled());
  sample_.kept[0].Reply();
  EXPECT_EQ(AnswerTo(peer, 1), Status());
}

TEST_F(HostileEnvelopeTest, GoodbyeOfThePeerIsTheReasonOfTheEnd) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(GoodbyeFrame(9, "i have had enough") + CallFrame(1, kKeep));
  EXPECT_EQ(GoodbyeTo(peer), std::nullopt);
  RunUntil([&] { return !ends_.empty(); });
  EXPECT_TRUE(Says(ends_[0], StatusCode::kResourceExhausted, {"i have had enough"}));
  EXPECT_TRUE(sample_.kept.empty());
}

}  // namespace
}  // namespace lwmsg::test
