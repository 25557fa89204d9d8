#include "tests/hostile/fixture.h"

// A server that cannot be reached.
namespace lwmsg::test {
namespace {

TEST_F(UnreachableServerTest, NoServer) {
  const std::string endpoint = folder_.Endpoint("nobody");
  BlockingClient client(endpoint);
  auto reply = sample::SampleClient(client).Nothing().Sync();
  ASSERT_FALSE(reply);
  EXPECT_TRUE(Says(reply.error(), StatusCode::kUnavailable,
                   {endpoint.substr(endpoint.find(':') + 1), "is the server running?"}));
}

}  // namespace
}  // namespace lwmsg::test
