#include <unistd.h>

#include "tests/hostile/hostile_server_fixture.h"
#include "tests/hostile/posix/raw_descriptors.h"

// Servers that break the rules with descriptors, or are another user.
namespace lwmsg::test {
namespace {

TEST_P(HostileServerTest, SurplusDescriptorsEndTheAssociation) {
  const auto handles = SomeFiles(2);
  server_->Write(HelloFrame());
  WriteWith(*server_, EchoReplyFrame(kFirstCallId, "text"), handles);
  EXPECT_TRUE(Says(Call(), StatusCode::kMalformed, {"counts 0 OS handles", "but 2 came"}));
}

// Sent before the client was there, and asked for none.
TEST_P(HostileServerTest, DescriptorsThatNoInterfaceHasEndTheAssociation) {
  const auto handles = SomeFiles(2);
  server_->Write(HelloFrame());
  const std::string reply = ReplyFrame(
      kFirstCallId, [](auto results) { results.template initAs<sample::Sample::EchoResults>(); },
      2);
  WriteWith(*server_, reply, handles);
  EXPECT_TRUE(Says(Call(), StatusCode::kPermissionDenied, {"2 OS handles"}));
}

TEST_P(HostileServerTest, DescriptorsWhereTheResultsHaveNoneFailTheCall) {
  const auto handles = SomeFiles(2);
  server_->Write(HelloFrame() + ReplyFrame(kFirstCallId, [](auto results) {
                   results.template initAs<sample::Sample::OpenResults>();
                 }));
  auto open = Sample().Open();
  open->setPath("/dev/null");
  EXPECT_EQ(Finish(std::move(open), [](auto& /*reply*/) {}), Status());
  const std::string reply = ReplyFrame(
      kSecondCallId, [](auto results) { results.template initAs<sample::Sample::EchoResults>(); },
      2);
  WriteWith(*server_, reply, handles);
  EXPECT_TRUE(Says(Call(), StatusCode::kMalformed,
                   {"reply of Sample.echo", "2 OS handles", "no field for them"}));
}

TEST_P(HostileServerTest, ServerOfAnotherUserThanTheWantedIsRefused) {
  options_.server_euid = geteuid() + 1;
  EXPECT_TRUE(Says(CallAfter(HelloFrame() + EchoReplyFrame(kFirstCallId, "text")),
                   StatusCode::kPermissionDenied,
                   {"not the wanted user " + std::to_string(geteuid() + 1)}));
}

}  // namespace
}  // namespace lwmsg::test
