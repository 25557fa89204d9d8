#include "runtime/posix/socket_address.h"
#include "tests/runtime/server_fixture.h"

// Sockets that are inherited, and their backlog.
namespace lwmsg::test {
namespace {

// How many clients the backlog at the endpoint takes, up to 100.
int BacklogAt(const std::string& text) {
  const auto endpoint = *Endpoint::Parse(text);
  std::vector<OsHandle> sockets;
  while (sockets.size() < 100) {
    auto socket = internal::NewSocket();
    auto connected = internal::ConnectOnce(*socket, endpoint);
    if (!connected || !*connected) break;
    sockets.push_back(std::move(*socket));
  }
  return static_cast<int>(sockets.size());
}

TEST_F(ServerListenTest, OneServerServesAtAllItsEndpoints) {
  Serve();
  const std::string inherited = folder_.Endpoint("inherited");
  const std::vector<std::string> endpoints = {folder_.Endpoint("a"), folder_.Endpoint("b"),
                                              EndpointsIn(folder_.path())[1], inherited};
  for (size_t i = 0; i < 3; ++i) ASSERT_TRUE(server_->Listen(endpoints[i]).ok());
  ASSERT_TRUE(server_->ListenOn(ListenPlainly(inherited)).ok());
  auto pair = MakePair();
  ASSERT_TRUE(server_->Adopt(std::move(pair->first)).ok());
  for (const std::string& endpoint : endpoints) EXPECT_EQ(Call(NewPeer(endpoint)), Status());
  EXPECT_EQ(Call(NewPeer(std::move(pair->second))), Status());
  EXPECT_EQ(server_->association_count(), 5U);
  const ServerState state = server_->State();
  ASSERT_EQ(state.listeners.size(), 4U);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(state.listeners[i].endpoint, endpoints[i]);
}

TEST_F(ServerListenTest, BacklogIsWhatWasAskedFor) {
  Serve();
  for (const std::string& endpoint : EndpointsIn(folder_.path())) {
    ASSERT_TRUE(server_->Listen(endpoint, {.backlog = 3}).ok());
    // The loop does not run: nobody accepts. Linux lets one more in (listen(2)).
    EXPECT_EQ(BacklogAt(endpoint), 4);
  }
}

}  // namespace
}  // namespace lwmsg::test
