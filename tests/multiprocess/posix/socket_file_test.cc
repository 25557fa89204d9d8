#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/multiprocess/posix/fixture.h"

// The life of a server's name: one owner at a time, and never another's loss.
namespace lwmsg::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class SocketFileTest : public MultiprocessTest {
 protected:
  bool Exists() const { return access(folder_.Path("s").c_str(), F_OK) == 0; }
};

TEST_F(SocketFileTest, LiveServerKeepsItsNameFromASecond) {
  Process first("serve", {EndpointArgument()});
  ASSERT_EQ(first.ReadLine(), "ready");
  Process second("serve", {EndpointArgument()});
  EXPECT_THAT(second.ReadLine(), AllOf(StartsWith("already exists: a server is running"),
                                       HasSubstr(folder_.Path("s"))));
  EXPECT_EQ(second.Wait(), 1);
  EXPECT_TRUE(Exists());
  BlockingClient client(folder_.Endpoint());
  ASSERT_TRUE(sample::SampleClient(client).Nothing().Sync());
  EXPECT_EQ(client.peer().pid(), static_cast<uint32_t>(first.pid()));
}

TEST_F(SocketFileTest, LiveServerWithoutALockFileKeepsItsNameToo) {
  Process first("serve", {EndpointArgument()});
  ASSERT_EQ(first.ReadLine(), "ready");
  ASSERT_EQ(unlink(folder_.Path("s.lock").c_str()), 0);
  Process second("serve", {EndpointArgument()});
  EXPECT_THAT(second.ReadLine(), StartsWith("already exists: a server is running"));
  EXPECT_EQ(second.Wait(), 1);
  EXPECT_EQ(CallNothing(), Status());
}

TEST_F(SocketFileTest, NameGoesWithItsServer) {
  Process server("serve", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "ready");
  EXPECT_TRUE(Exists());
  server.Tell("stop");
  ASSERT_EQ(server.ReadLine(), "stopped");
  EXPECT_FALSE(Exists());
}

TEST_F(SocketFileTest, NameStaysWhileTheForkedChildServes) {
  Process daemon("daemon", {EndpointArgument()});
  ASSERT_THAT(daemon.ReadLine(), StartsWith("ready "));
  daemon.Tell("parent stops");
  ASSERT_EQ(daemon.ReadLine(), "parent stopped");
  EXPECT_TRUE(Exists());
  EXPECT_EQ(CallNothing(), Status());
  Process second("serve", {EndpointArgument()});
  EXPECT_THAT(second.ReadLine(), StartsWith("already exists: "));
}

TEST_F(SocketFileTest, NameStaysWhileTheParentServes) {
  Process daemon("daemon", {EndpointArgument()});
  ASSERT_THAT(daemon.ReadLine(), StartsWith("ready "));
  daemon.Tell("child stops");
  ASSERT_EQ(daemon.ReadLine(), "child stopped");
  EXPECT_TRUE(Exists());
  daemon.Tell("parent serves");
  ASSERT_EQ(daemon.ReadLine(), "parent serves");
  BlockingClient client(folder_.Endpoint());
  ASSERT_TRUE(sample::SampleClient(client).Nothing().Sync());
  EXPECT_EQ(client.peer().pid(), static_cast<uint32_t>(daemon.pid()));
}

// T50.
TEST_F(SocketFileTest, NameOfASuccessorIsNotRemoved) {
  Process first("serve", {EndpointArgument()});
  ASSERT_EQ(first.ReadLine(), "ready");
  ASSERT_EQ(unlink(folder_.Path("s").c_str()), 0);
  ASSERT_EQ(unlink(folder_.Path("s.lock").c_str()), 0);
  Process second("serve", {EndpointArgument()});
  ASSERT_EQ(second.ReadLine(), "ready");
  first.Tell("stop");
  ASSERT_EQ(first.ReadLine(), "stopped");
  EXPECT_EQ(CallNothing(), Status());
}

TEST_F(SocketFileTest, FileThatIsNoSocketIsRefusedAndUntouched) {
  std::ofstream(folder_.Path("s")) << "precious";
  Process server("serve", {EndpointArgument()});
  EXPECT_THAT(server.ReadLine(), AllOf(StartsWith("already exists: "), HasSubstr("is no socket"),
                                       HasSubstr(folder_.Path("s"))));
  EXPECT_EQ(server.Wait(), 1);
  std::string content;
  std::ifstream(folder_.Path("s")) >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(SocketFileTest, T48_WhatIsNoSocketIsRefusedAndUntouched) {
  Process live("serve", {"endpoint=" + folder_.Endpoint("live")});
  ASSERT_EQ(live.ReadLine(), "ready");
  ASSERT_EQ(mkdir(folder_.Path("folder").c_str(), 0755), 0);
  ASSERT_EQ(mkfifo(folder_.Path("fifo").c_str(), 0600), 0);
  ASSERT_EQ(symlink("nowhere", folder_.Path("link").c_str()), 0);
  ASSERT_EQ(symlink("live", folder_.Path("link-to-live").c_str()), 0);
  for (const char* name : {"folder", "fifo", "link", "link-to-live"}) {
    Process server("serve", {"endpoint=" + folder_.Endpoint(name)});
    EXPECT_THAT(server.ReadLine(),
                AllOf(StartsWith("already exists: "), HasSubstr("is no socket")));
    struct stat info{};
    EXPECT_EQ(lstat(folder_.Path(name).c_str(), &info), 0);
  }
  EXPECT_EQ(CallNothing(folder_.Endpoint("live")), Status());
}

// T52.
TEST_F(SocketFileTest, HasTheWantedModeWhateverTheUmask) {
  Loop loop;
  for (const mode_t mask : {0000, 0022, 0777}) {
    for (const uint32_t mode : {0600U, 0660U, 0666U, 0777U}) {
      const mode_t before = umask(mask);
      Server server(loop);
      const Status listening = server.Listen(folder_.Endpoint(), {.mode = mode});
      umask(before);
      ASSERT_TRUE(listening.ok()) << listening;
      struct stat info{};
      ASSERT_EQ(lstat(folder_.Path("s").c_str(), &info), 0);
      EXPECT_TRUE(S_ISSOCK(info.st_mode));
      EXPECT_EQ(info.st_mode & 07777, mode);
      EXPECT_EQ(info.st_uid, geteuid());
      EXPECT_EQ(info.st_gid, getegid());
    }
  }
}

TEST_F(SocketFileTest, HasTheWantedOwnerAndGroup) {
  LWMSG_SKIP_UNLESS_ROOT();
  Loop loop;
  Server server(loop);
  const Status listening =
      server.Listen(folder_.Endpoint(), {.mode = 0660, .owner = "12345", .group = "12346"});
  ASSERT_TRUE(listening.ok()) << listening;
  struct stat info{};
  ASSERT_EQ(lstat(folder_.Path("s").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, kAlice);
  EXPECT_EQ(info.st_gid, kBob);
  EXPECT_EQ(info.st_mode & 07777, 0660U);
}

TEST_F(SocketFileTest, ModeAndGroupDecideWhoMayConnect) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve", {EndpointArgument(), "mode=660", "uid=12345", "gid=12346"});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process member("call", {EndpointArgument(), "uid=20001", "groups=12346", "server=any"});
  EXPECT_THAT(member.ReadLine(), StartsWith("client euid=20001 "));
  Process stranger("call", {EndpointArgument(), "uid=20001", "server=any"});
  EXPECT_THAT(stranger.ReadLine(), AllOf(StartsWith("error permission denied: "),
                                         HasSubstr("this user may not connect")));
}

TEST_F(SocketFileTest, AbstractNameHasOneServer) {
  const std::string endpoint = "unix-abstract:lwmsg-one-" + std::to_string(getpid());
  Process first("serve", {"endpoint=" + endpoint});
  ASSERT_EQ(first.ReadLine(), "ready");
  Process second("serve", {"endpoint=" + endpoint});
  EXPECT_THAT(second.ReadLine(),
              AllOf(StartsWith("already exists: a server is running"), HasSubstr(endpoint)));
  EXPECT_EQ(CallNothing(endpoint), Status());
  first.Kill();
  first.Wait();
  EXPECT_EQ(CallNothing(endpoint).code(), StatusCode::kUnavailable);
  Process third("serve", {"endpoint=" + endpoint});
  EXPECT_EQ(third.ReadLine(), "ready");
}

}  // namespace
}  // namespace lwmsg::test
