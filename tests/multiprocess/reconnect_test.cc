#include <optional>

#include "tests/multiprocess/fixture.h"

// Clients whose server is another process that goes and comes again.
namespace lwmsg::test {
namespace {

Result<Handle<sample::Object>> Make(const Channel& channel) {
  auto made = sample::SampleClient(channel).Make().Sync();
  if (!made) return Error(made.error());
  return made->takeObject();
}

Status Use(const Channel& channel, const Handle<sample::Object>& object) {
  auto use = sample::SampleClient(channel).Use();
  use->setObject(object);
  auto reply = use.Sync();
  return reply ? Status() : reply.error();
}

TEST_F(ReconnectTest, NextCallReachesTheNewServerAndOldNamesAreInvalid) {
  std::optional<Process> server;
  server.emplace("serve", Arguments{EndpointArgument()});
  ASSERT_EQ(server->ReadLine(), "ready");
  BlockingClient client(folder_.Endpoint(), Options(Reconnect::kOnNextCall));
  auto object = Make(client);
  ASSERT_TRUE(object) << object.error();
  EXPECT_EQ(Use(client, *object), Status());

  server->Kill();
  server->Wait();
  EXPECT_EQ(Use(client, *object).code(), StatusCode::kUnavailable);
  server.emplace("serve", Arguments{EndpointArgument()});
  ASSERT_EQ(server->ReadLine(), "ready");
  EXPECT_EQ(Use(client, *object).code(), StatusCode::kInvalidHandle);
  EXPECT_EQ(sessions_lost_, 1);
  // Another object of the new server has another name.
  auto fresh = Make(client);
  ASSERT_TRUE(fresh) << fresh.error();
  EXPECT_NE(*fresh, *object);
  EXPECT_EQ(Use(client, *fresh), Status());
  EXPECT_EQ(Use(client, *object).code(), StatusCode::kInvalidHandle);
  EXPECT_EQ(sessions_lost_, 1);
}

TEST_F(ReconnectTest, IsOffUnlessAskedFor) {
  std::optional<Process> server;
  server.emplace("serve", Arguments{EndpointArgument()});
  ASSERT_EQ(server->ReadLine(), "ready");
  BlockingClient client(folder_.Endpoint());
  ASSERT_TRUE(sample::SampleClient(client).Nothing().Sync());
  server->Kill();
  server->Wait();
  server.emplace("serve", Arguments{EndpointArgument()});
  ASSERT_EQ(server->ReadLine(), "ready");
  EXPECT_EQ(sample::SampleClient(client).Nothing().Sync().error().code(), StatusCode::kUnavailable);
  EXPECT_EQ(sample::SampleClient(client).Nothing().Sync().error().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace lwmsg::test
