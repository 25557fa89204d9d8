#include "tests/hostile/hostile_server_fixture.h"

// Servers that break the rules: both kinds of client end each call with a reason, and in time.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;

INSTANTIATE_TEST_SUITE_P(Clients, HostileServerTest,
                         testing::Values(ClientKind::kBlocking, ClientKind::kLoop),
                         [](const auto& kind) { return NameOf(kind.param); });

TEST_P(HostileServerTest, GoodServerIsUnderstood) {
  EXPECT_EQ(CallAfter(HelloFrame() + EchoReplyFrame(kFirstCallId, "text")), Status());
  EXPECT_EQ(CallAfter(EchoReplyFrame(kSecondCallId, "text")), Status());
}

TEST_P(HostileServerTest, GarbageIsReported) {
  EXPECT_TRUE(Says(CallAfter("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), StatusCode::kMalformed,
                   {"no lwmsg frame"}));
  EXPECT_TRUE(Says(GoodbyeOfClient(), StatusCode::kMalformed, {"no lwmsg frame"}));
}

TEST_P(HostileServerTest, WrongMagicIsReported) {
  std::string hello = HelloFrame();
  hello[0] = 'X';
  EXPECT_TRUE(Says(CallAfter(hello), StatusCode::kMalformed, {"no lwmsg frame"}));
}

// T04.
TEST_P(HostileServerTest, ReplyThatIsNeverWholeEndsTheAssociation) {
  options_.limits.frame_timeout = milliseconds(50);
  EXPECT_TRUE(Says(CallAfter(HelloFrame() + EchoReplyFrame(kFirstCallId, "text").substr(0, 40)),
                   StatusCode::kDeadlineExceeded,
                   {"40 bytes came", "50 ms", "Limits::frame_timeout"}));
  EXPECT_TRUE(Says(GoodbyeOfClient(), StatusCode::kDeadlineExceeded, {"Limits::frame_timeout"}));
}

TEST_P(HostileServerTest, OversizeFrameIsReportedWithTheLimit) {
  std::string reply = EchoReplyFrame(kFirstCallId, "text");
  PutNumber(reply, 4, ~0U);
  EXPECT_TRUE(Says(CallAfter(HelloFrame() + reply), StatusCode::kMalformed,
                   {"34359738360 bytes", "1048576", "Limits::max_frame_bytes"}));
}

TEST_P(HostileServerTest, ReplyBeforeHelloIsReported) {
  EXPECT_TRUE(Says(CallAfter(EchoReplyFrame(kFirstCallId, "text")), StatusCode::kMalformed,
                   {"the first frame is not a hello"}));
}

TEST_P(HostileServerTest, T01_WhatIsCutOffEndsTheCall) {
  const std::string hello = HelloFrame();
  const std::string both = hello + EchoReplyFrame(kFirstCallId, "text");
  for (size_t at = 1; at < both.size(); ++at) {
    SCOPED_TRACE(at);
    server_->Write(both.substr(0, at));
    server_->Close();
    EXPECT_TRUE(
        Says(Call(), StatusCode::kUnavailable,
             {at == hello.size() ? "closed the connection" : "in the middle of a message"}));
    Renew();
  }
}

TEST_P(HostileServerTest, EndOfTheConnectionEndsTheCall) {
  server_->Write(HelloFrame());
  server_->Close();
  EXPECT_TRUE(Says(Call(), StatusCode::kUnavailable, {"closed the connection"}));
  EXPECT_TRUE(Says(Call(), StatusCode::kUnavailable, {"Sample.echo", "has ended"}));
}

TEST_P(HostileServerTest, EndWithoutHelloEndsTheCall) {
  server_->Close();
  EXPECT_TRUE(Says(Call(), StatusCode::kUnavailable, {"closed the connection"}));
}

TEST_P(HostileServerTest, GoodbyeIsTheReasonOfTheCall) {
  server_->Write(HelloFrame() + GoodbyeFrame(8, "not you"));
  server_->Close();
  EXPECT_TRUE(Says(Call(), StatusCode::kPermissionDenied, {"not you"}));
}

TEST_P(HostileServerTest, SilenceEndsAtTheDeadlineOfTheCall) {
  options_.limits.call_timeout = milliseconds(50);
  EXPECT_TRUE(Says(Call(), StatusCode::kDeadlineExceeded, {"Sample.echo", "deadline"}));
}

TEST_P(HostileServerTest, SilenceBehindHelloEndsAtTheDeadlineOfTheCall) {
  options_.limits.call_timeout = milliseconds(50);
  EXPECT_TRUE(
      Says(CallAfter(HelloFrame()), StatusCode::kDeadlineExceeded, {"Sample.echo", "deadline"}));
}

TEST_P(HostileServerTest, ServerThatReadsNothingDoesNotHoldTheCallPastItsDeadline) {
  options_.limits.call_timeout = milliseconds(50);
  // More than the connection's buffer holds.
  const std::string text(800'000, 'x');
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Call(text).code(), StatusCode::kDeadlineExceeded);
}

TEST_P(HostileServerTest, ResultsOfTheWrongKindFailTheirCallOnly) {
  const std::string reply = ReplyFrame(kFirstCallId, [](auto results) {
    results.template initAs<sample::Sample::CollectResults>().initItems(3);
  });
  EXPECT_TRUE(Says(CallAfter(HelloFrame() + reply), StatusCode::kMalformed,
                   {"reply of Sample.echo", "text: "}));
  EXPECT_EQ(CallAfter(EchoReplyFrame(kSecondCallId, "text")), Status());
}

TEST_P(HostileServerTest, ResultsWithABadPointerFailTheirCallOnly) {
  std::string reply = EchoReplyFrame(kFirstCallId, "text");
  BreakPointer(reply, 2);
  EXPECT_TRUE(Says(CallAfter(HelloFrame() + reply), StatusCode::kMalformed,
                   {"reply of Sample.echo", "text: ", "out-of-bounds"}));
  EXPECT_EQ(CallAfter(EchoReplyFrame(kSecondCallId, "text")), Status());
}

TEST_P(HostileServerTest, ErrorWhoseTextCannotBeReadStillEndsTheCall) {
  std::string reply = ErrorReplyFrame(kFirstCallId, 6, "text");
  BreakPointer(reply, 3);
  EXPECT_TRUE(
      Says(CallAfter(HelloFrame() + reply), StatusCode::kMalformed, {"envelope cannot be read"}));
}

TEST_P(HostileServerTest, StatusOfNoKnownNumberIsInternal) {
  EXPECT_TRUE(Says(CallAfter(HelloFrame() + ErrorReplyFrame(kFirstCallId, 4711, "strange")),
                   StatusCode::kInternal, {"strange"}));
}

TEST_P(HostileServerTest, ReplyToAnotherCallEndsTheAssociation) {
  EXPECT_TRUE(Says(CallAfter(HelloFrame() + EchoReplyFrame(kFirstCallId + 1, "text")),
                   StatusCode::kMalformed, {"reply to call id 65537", "waits for none"}));
}

TEST_P(HostileServerTest, SecondReplyEndsTheAssociation) {
  const std::string reply = EchoReplyFrame(kFirstCallId, "text");
  EXPECT_EQ(CallAfter(HelloFrame() + reply + reply), Status());
  EXPECT_EQ(Call().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(Says(GoodbyeOfClient(), StatusCode::kMalformed, {"waits for none"}));
}

TEST_P(HostileServerTest, ServerThatTakesNothingRefusesNothingSilently) {
  server_->Write(HelloFrame({.max_frame_bytes = 0}) + EchoReplyFrame(kFirstCallId, "text"));
  EXPECT_EQ(Call(), Status());  // Sent before the hello was read.
  EXPECT_TRUE(Says(Call(), StatusCode::kResourceExhausted,
                   {"Sample.echo", "the peer takes 0", "its Limits::max_frame_bytes"}));
}

TEST_P(HostileServerTest, CallOfTheServerToAClientThatServesNothingIsAnswered) {
  server_->Write(HelloFrame() + EchoFrame(1, "text") + EchoReplyFrame(kFirstCallId, "text"));
  EXPECT_EQ(Call(), Status());
  EXPECT_EQ(CallAfter(EchoReplyFrame(kSecondCallId, "text")), Status());
  server_->Read();
  EXPECT_TRUE(Says(server_->ReplyTo(1), StatusCode::kUnimplemented,
                   {"is not served here", "served is nothing"}));
}

}  // namespace
}  // namespace lwmsg::test
