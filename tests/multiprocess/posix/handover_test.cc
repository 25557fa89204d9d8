#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "tests/multiprocess/posix/fixture.h"

// Sockets that one process makes and another uses.
namespace lwmsg::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class HandoverTest : public MultiprocessTest {
 protected:
  // A listening socket at the test's endpoint, made without lwmsg.
  OsHandle ListenHere() const { return ListenAt(folder_.Path("s")); }
};

TEST_F(HandoverTest, ListeningSocketServesInTheProcessThatInheritedIt) {
  const OsHandle socket = ListenHere();
  const int number = socket.get();
  Process server("serve", {"listening=" + std::to_string(number)}, {number});
  ASSERT_EQ(server.ReadLine(), "ready");
  BlockingClient client(folder_.Endpoint());
  ASSERT_TRUE(sample::SampleClient(client).Nothing().Sync());
  EXPECT_EQ(client.peer().pid(), static_cast<uint32_t>(server.pid()));
  server.Tell("stop");
  ASSERT_EQ(server.ReadLine(), "stopped");
  EXPECT_EQ(access(folder_.Path("s").c_str(), F_OK), 0) << "the name was not this server's";
}

TEST_F(HandoverTest, AcceptedSocketIsServedByTheProcessThatInheritedIt) {
  LWMSG_SKIP_UNLESS_ROOT();
  const OsHandle listening = ListenHere();
  Process client("call", {EndpointArgument(), "uid=12346"});
  const OsHandle accepted(accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const int number = accepted.get();
  Process server("serve", {"socket=" + std::to_string(number), "uid=12345"}, {number});
  ASSERT_EQ(server.ReadLine(), "ready");
  EXPECT_THAT(client.ReadLine(), StartsWith("client " + TokenText(kBob, client.PidText())));
  EXPECT_THAT(client.ReadLine(), StartsWith("server " + TokenText(kAlice, server.PidText())));
}

TEST_F(HandoverTest, DescriptorThatIsNoSuchSocketIsRefused) {
  const OsHandle file = FileWith("");
  const int number = file.get();
  for (const char* key : {"listening=", "socket="}) {
    Process server("serve", {key + std::to_string(number)}, {number});
    EXPECT_THAT(server.ReadLine(), AllOf(StartsWith("invalid argument: descriptor "),
                                         HasSubstr("no Unix stream socket")));
    EXPECT_EQ(server.Wait(), 1);
  }
}

TEST_F(HandoverTest, ServerOfAnotherUserIsRefusedBeforeAByteIsSent) {
  const OsHandle listening = ListenHere();
  ClientOptions options;
  options.server_euid = geteuid() + 1;
  BlockingClient client(folder_.Endpoint(), std::move(options));
  auto reply = sample::SampleClient(client).Nothing().Sync();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(reply.error().message(),
              AllOf(HasSubstr("euid=" + std::to_string(geteuid())),
                    HasSubstr("not the wanted user " + std::to_string(geteuid() + 1)),
                    HasSubstr("nothing was sent")));
  const OsHandle accepted(accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  std::array<char, 16> bytes{};
  EXPECT_EQ(recv(accepted.get(), bytes.data(), bytes.size(), MSG_DONTWAIT), 0);
}

TEST_F(HandoverTest, ServerOfTheWantedUserIsTaken) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve", {EndpointArgument(), "uid=12345"});
  ASSERT_EQ(server.ReadLine(), "ready");
  ClientOptions options;
  options.server_euid = kAlice;
  BlockingClient client(folder_.Endpoint(), std::move(options));
  auto reply = sample::SampleClient(client).Nothing().Sync();
  EXPECT_TRUE(reply) << reply.error();
}

}  // namespace
}  // namespace lwmsg::test
