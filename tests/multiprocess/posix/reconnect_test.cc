#include <unistd.h>

#include <optional>

#include "tests/multiprocess/posix/fixture.h"

// Clients whose server comes again as another user.
namespace lwmsg::test {
namespace {

constexpr const char* kFirstUser = "uid=12345";
constexpr const char* kOtherUser = "uid=23456";

TEST_F(ReconnectTest, ServerOfAnotherUserThanBeforeIsRefused) {
  LWMSG_SKIP_UNLESS_ROOT();
  std::optional<Process> server;
  server.emplace("serve", Arguments{EndpointArgument(), "mode=0666", kFirstUser});
  ASSERT_EQ(server->ReadLine(), "ready");
  ClientOptions options = Options(Reconnect::kOnNextCall);
  options.any_server = true;
  BlockingClient client(folder_.Endpoint(), std::move(options));
  ASSERT_TRUE(sample::SampleClient(client).Nothing().Sync());
  server->Kill();
  server->Wait();
  ASSERT_FALSE(sample::SampleClient(client).Nothing().Sync());
  // What the other user could not, as the files are the first one's.
  ASSERT_EQ(unlink(folder_.Path("s").c_str()), 0);
  ASSERT_EQ(unlink(folder_.Path("s.lock").c_str()), 0);
  server.emplace("serve", Arguments{EndpointArgument(), "mode=0666", kOtherUser});
  ASSERT_EQ(server->ReadLine(), "ready");
  auto refused = sample::SampleClient(client).Nothing().Sync();
  EXPECT_EQ(refused.error().code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(refused.error().message(), testing::HasSubstr("not the wanted user 12345"));
}

TEST_F(ReconnectTest, ServiceWhoseSocketAnotherUserMadeIsFoundAgain) {
  LWMSG_SKIP_UNLESS_ROOT();
  const OsHandle socket = ListenAt(folder_.Path("s"));
  const int number = socket.get();
  const Arguments serve = {"listening=" + std::to_string(number), kFirstUser};
  std::optional<Process> server;
  server.emplace("serve", serve, std::vector<int>{number});
  ASSERT_EQ(server->ReadLine(), "ready");
  ClientOptions options = Options(Reconnect::kOnNextCall);
  options.server_euid = geteuid();
  BlockingClient client(folder_.Endpoint(), std::move(options));
  ASSERT_TRUE(sample::SampleClient(client).Nothing().Sync());
  EXPECT_EQ(client.peer().euid(), kAlice);
  for (const char* user : {kFirstUser, kOtherUser}) {
    server->Kill();
    server->Wait();
    ASSERT_FALSE(sample::SampleClient(client).Nothing().Sync());
    server.emplace("serve", Arguments{serve[0], user}, std::vector<int>{number});
    ASSERT_EQ(server->ReadLine(), "ready");
    auto reply = sample::SampleClient(client).Nothing().Sync();
    if (user == kFirstUser) {
      EXPECT_TRUE(reply) << reply.error();
    } else {
      // Who answered the first time shall answer now.
      EXPECT_EQ(reply.error().code(), StatusCode::kPermissionDenied);
    }
  }
}

}  // namespace
}  // namespace lwmsg::test
