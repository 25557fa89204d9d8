#include <sys/socket.h>

#include <array>

#include "tests/hostile/fixture.h"

namespace lwmsg::test {
namespace {

class HostileIdentityTest : public HostilePeerTest {};

// Written before the server asked for the sender, it has none: the kernel then says nobody's ids.
TEST_F(HostileIdentityTest, HelloWithoutASenderIsOfAnUnknownUser) {
  Serve();
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  OsHandle server_end(ends[0]);
  const OsHandle peer(ends[1]);
  const std::string hello = HelloFrame();
  ASSERT_EQ(write(peer.get(), hello.data(), hello.size()), static_cast<ssize_t>(hello.size()));
  ASSERT_EQ(server_->Adopt(std::move(server_end)), Status());
  RunUntil([&] { return server_->State().associations.back().session_id != 0; });
  const Token token = server_->State().associations.back().peer;
  EXPECT_FALSE(token.euid() || token.egid() || token.pid()) << token;
}

}  // namespace
}  // namespace lwmsg::test
