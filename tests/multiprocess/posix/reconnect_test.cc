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
  // Nor does he get the client's hello.
  EXPECT_THAT(refused.error().message(),
              testing::HasSubstr("not the wanted user 12345; nothing was sent to it"));
}

// Started by a service manager, whose socket the client finds.
class ActivatedServerTest : public ReconnectTest {
 protected:
  void SetUp() override {
    LWMSG_SKIP_UNLESS_ROOT();
    socket_ = ListenAt(folder_.Path("s"));
  }
  void Start(const char* user) {
    const int number = socket_.get();
    server_.reset();
    server_.emplace("serve", Arguments{"listening=" + std::to_string(number), user},
                    std::vector<int>{number});
    ASSERT_EQ(server_->ReadLine(), "ready");
  }
  // The client of a server that went, and came again as its first user and as another.
  void ExpectToFindItAgain(ClientOptions options) {
    Start(kFirstUser);
    BlockingClient client(folder_.Endpoint(), std::move(options));
    ASSERT_TRUE(sample::SampleClient(client).Nothing().Sync());
    EXPECT_EQ(client.peer().euid(), kAlice);
    for (const char* user : {kFirstUser, kFirstUser, kOtherUser}) {
      server_->Kill();
      server_->Wait();
      ASSERT_FALSE(sample::SampleClient(client).Nothing().Sync());
      Start(user);
      auto reply = sample::SampleClient(client).Nothing().Sync();
      if (user == kFirstUser) {
        EXPECT_TRUE(reply) << reply.error();
      } else {
        // Who answered the first time shall answer now.
        EXPECT_EQ(reply.error().code(), StatusCode::kPermissionDenied);
      }
    }
  }

 private:
  OsHandle socket_;
  std::optional<Process> server_;
};

TEST_F(ActivatedServerTest, ServiceWhoseSocketAnotherUserMadeIsFoundAgain) {
  ClientOptions options = Options(Reconnect::kOnNextCall);
  options.server_euid = geteuid();
  ExpectToFindItAgain(std::move(options));
}

TEST_F(ActivatedServerTest, ServiceWhoseSocketRootMadeIsFoundAgain) {
  ExpectToFindItAgain(Options(Reconnect::kOnNextCall));
}

}  // namespace
}  // namespace lwmsg::test
