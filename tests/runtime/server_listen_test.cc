#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/posix/socket_address.h"
#include "tests/runtime/server_fixture.h"

// The endpoints of one server, together and one after the other.
namespace lwmsg::test {
namespace {

using ::testing::HasSubstr;

class ServerListenTest : public ServerTest {
 protected:
  std::string AbstractEndpoint() const { return "unix-abstract:" + folder_.Path("abstract"); }
  // A socket that listens there, made without lwmsg.
  OsHandle ListenPlainly(const std::string& endpoint) const {
    auto address = internal::ToSocketAddress(*lwmsg::Endpoint::Parse(endpoint));
    OsHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(socket.get(), address->get(), address->size), 0);
    EXPECT_EQ(listen(socket.get(), 5), 0);
    return socket;
  }
  // How many clients the backlog at the endpoint takes, up to 100.
  int BacklogAt(const std::string& text) const {
    const auto endpoint = *lwmsg::Endpoint::Parse(text);
    std::vector<OsHandle> sockets;
    while (sockets.size() < 100) {
      auto socket = internal::NewSocket();
      auto connected = internal::ConnectOnce(*socket, endpoint);
      if (!connected || !*connected) break;
      sockets.push_back(std::move(*socket));
    }
    return static_cast<int>(sockets.size());
  }
};

TEST_F(ServerListenTest, OneServerServesAtAllItsEndpoints) {
  Serve();
  const std::string inherited = folder_.Endpoint("inherited");
  const std::vector<std::string> endpoints = {folder_.Endpoint("a"), folder_.Endpoint("b"),
                                              AbstractEndpoint(), inherited};
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

TEST_F(ServerListenTest, OneEndpointCannotBeListenedAtTwice) {
  Serve();
  for (const std::string& endpoint : {folder_.Endpoint(), AbstractEndpoint()}) {
    ASSERT_TRUE(server_->Listen(endpoint).ok());
    const Status twice = server_->Listen(endpoint);
    EXPECT_EQ(twice.code(), StatusCode::kAlreadyExists) << twice;
    EXPECT_THAT(twice.message(), HasSubstr(endpoint));
    EXPECT_EQ(Call(NewPeer(endpoint)), Status()) << "the first goes on";
  }
}

TEST_F(ServerListenTest, BacklogIsWhatWasAskedFor) {
  Serve();
  for (const std::string& endpoint : {folder_.Endpoint(), AbstractEndpoint()}) {
    ASSERT_TRUE(server_->Listen(endpoint, {.backlog = 3}).ok());
    // The loop does not run: nobody accepts. Linux lets one more in (listen(2)).
    EXPECT_EQ(BacklogAt(endpoint), 4);
  }
}

TEST_F(ServerListenTest, StoppedServerListensAgainAtAllItsEndpoints) {
  Serve();
  for (int round = 0; round < 3; ++round) {
    for (const std::string& endpoint : {folder_.Endpoint(), AbstractEndpoint()}) {
      const Status listening = server_->Listen(endpoint);
      ASSERT_TRUE(listening.ok()) << listening;
      EXPECT_EQ(Call(NewPeer(endpoint)), Status());
    }
    // At once, while the goodbyes are still on their way.
    server_->Stop();
    EXPECT_TRUE(server_->State().listeners.empty());
  }
}

TEST_F(ServerListenTest, DrainedServerListensAgain) {
  ServeAndListen();
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(CallAnew(), Status());
    bool drained = false;
    server_->Drain(std::chrono::seconds(20), [&] { drained = true; });
    RunUntil([&] { return drained; });
    EXPECT_NE(access(folder_.Path("s").c_str(), F_OK), 0) << "the socket file is left";
    const Status listening = server_->Listen(folder_.Endpoint());
    ASSERT_TRUE(listening.ok()) << listening;
  }
  EXPECT_EQ(CallAnew(), Status());
}

TEST_F(ServerListenTest, DeadlineOfADrainThatIsOverEndsNobody) {
  ServeAndListen();
  ASSERT_EQ(CallAnew(), Status());
  server_->Drain(std::chrono::milliseconds(30), {});  // Nobody wants to hear of its end.
  RunUntil([&] { return server_->association_count() == 0; });
  ASSERT_TRUE(server_->Listen(folder_.Endpoint()).ok());
  Peer& peer = NewPeer();
  ASSERT_EQ(Call(peer), Status());
  RunFor(std::chrono::milliseconds(50));
  EXPECT_FALSE(peer.end);
}

}  // namespace
}  // namespace lwmsg::test
