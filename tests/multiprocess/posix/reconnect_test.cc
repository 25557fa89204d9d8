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

}  // namespace
}  // namespace lwmsg::test
