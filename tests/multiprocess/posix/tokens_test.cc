#include <unistd.h>

#include <algorithm>

#include "tests/multiprocess/posix/fixture.h"

// Who the kernel says the peer is, between processes of different users.
namespace lwmsg::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string User(uid_t user) { return "uid=" + std::to_string(user); }

TEST_F(TokensTest, UsersSeeEachOtherOnALocalEndpoint) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve", {EndpointArgument(), "mode=666", User(kAlice)});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process client("call", {EndpointArgument(), User(kBob), "server=any"});
  EXPECT_THAT(client.ReadLine(), StartsWith("client " + TokenText(kBob, client.PidText())));
  EXPECT_THAT(client.ReadLine(), StartsWith("server " + TokenText(kAlice, server.PidText())));
}

TEST_F(TokensTest, UsersSeeEachOtherOnAnAbstractEndpoint) {
  LWMSG_SKIP_UNLESS_ROOT();
  const std::string endpoint = "endpoint=unix-abstract:lwmsg-tokens-" + std::to_string(getpid());
  Process server("serve", {endpoint, User(kAlice)});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process client("call", {endpoint, User(kBob), "server=any"});
  EXPECT_THAT(client.ReadLine(), StartsWith("client " + TokenText(kBob, client.PidText())));
  EXPECT_THAT(client.ReadLine(), StartsWith("server " + TokenText(kAlice, server.PidText())));
}

TEST_F(TokensTest, UsersSeeEachOtherOnAPairThatAThirdProcessMade) {
  LWMSG_SKIP_UNLESS_ROOT();
  auto pair = MakePair();
  ASSERT_TRUE(pair);
  const int first = pair->first.get();
  const int second = pair->second.get();
  Process server("serve", {"socket=" + std::to_string(first), User(kAlice)}, {first});
  Process client("call", {"socket=" + std::to_string(second), User(kBob)}, {second});
  EXPECT_EQ(server.ReadLine(), "ready");
  EXPECT_THAT(client.ReadLine(), StartsWith("client " + TokenText(kBob, client.PidText())));
  EXPECT_THAT(client.ReadLine(), StartsWith("server " + TokenText(kAlice, server.PidText())));
}

TEST_F(TokensTest, ParentAndChildSeeEachOtherOnAPair) {
  LWMSG_SKIP_UNLESS_ROOT();
  auto child = SpawnWithPair({OwnPath(), "--role=serve-pair", User(kAlice)});
  ASSERT_TRUE(child) << child.error();
  const Reaper reaper(child->pid);
  BlockingClient client(std::move(child->channel));
  auto reply = sample::SampleClient(client).Whoami().Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->getPid(), getpid());
  EXPECT_EQ(reply->getEuid(), geteuid());
  EXPECT_EQ(client.peer().pid(), child->pid);
  EXPECT_EQ(client.peer().euid(), kAlice);
  EXPECT_EQ(client.peer().egid(), kAlice);
}

TEST_F(TokensTest, ClientSeesTheForkedChildNotTheDaemonThatListened) {
  Process daemon("daemon", {EndpointArgument()});
  const std::string ready = daemon.ReadLine();
  ASSERT_THAT(ready, StartsWith("ready "));
  ASSERT_NE(ready, "ready " + daemon.PidText());
  BlockingClient client(folder_.Endpoint());
  ASSERT_TRUE(sample::SampleClient(client).Nothing().Sync());
  EXPECT_EQ("ready " + std::to_string(client.peer().pid().value_or(0)), ready);
}

TEST_F(TokensTest, ClientSeesWhomTheForkedChildHasBecome) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process daemon("daemon", {EndpointArgument(), "child_" + User(kAlice)});
  const std::string ready = daemon.ReadLine();
  ASSERT_THAT(ready, StartsWith("ready "));
  const std::string pid = ready.substr(std::string("ready ").size());
  Process client("call", {EndpointArgument(), User(kBob)});
  EXPECT_THAT(client.ReadLine(), StartsWith("client " + TokenText(kBob, client.PidText())));
  EXPECT_THAT(client.ReadLine(), StartsWith("server " + TokenText(kAlice, pid)));
}

TEST_F(TokensTest, SupplementaryGroupsAreSeenOnALocalEndpoint) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve", {EndpointArgument(), "mode=666"});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process client("call", {EndpointArgument(), User(kBob), "groups=20001,20002,20003"});
  EXPECT_THAT(client.ReadLine(), HasSubstr(" groups=20001,20002,20003"));
  Process lone("call", {EndpointArgument(), User(kBob)});
  EXPECT_THAT(lone.ReadLine(), HasSubstr(" groups=none"));
}

TEST_F(TokensTest, T34_IdentityIsThatOfWhenItConnected) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve", {EndpointArgument(), "mode=666"});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process client("call-after-becoming", {EndpointArgument(), "become=12346"});
  EXPECT_THAT(client.ReadLine(), StartsWith("client euid=0 "));
}

TEST_F(TokensTest, T39_OfThreeUsersTheEffectiveOneCounts) {
  LWMSG_SKIP_UNLESS_ROOT();
  const std::vector<std::string> three = {"uid=12345", "euid=12346", "suid=12347"};
  Process server("serve", {EndpointArgument(), "mode=666"});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process client("call", {EndpointArgument(), three[0], three[1], three[2]});
  EXPECT_THAT(client.ReadLine(), StartsWith("client euid=12346 egid=12346 "));
  auto pair = MakePair();
  ASSERT_TRUE(pair);
  const int first = pair->first.get();
  const int second = pair->second.get();
  Process end("serve", {"socket=" + std::to_string(first)}, {first});
  Process other("call", {"socket=" + std::to_string(second), three[0], three[1], three[2]},
                {second});
  ASSERT_EQ(end.ReadLine(), "ready");
  EXPECT_THAT(other.ReadLine(), StartsWith("client euid=12346 egid=12346 "));
}

TEST_F(TokensTest, T41_AnyNumberOfGroupsIsSeen) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve", {EndpointArgument(), "mode=666"});
  ASSERT_EQ(server.ReadLine(), "ready");
  for (const int count : {1, 32, 33, 65'536}) {
    Process client("call",
                   {EndpointArgument(), User(kBob), "group_count=" + std::to_string(count)});
    const std::string line = client.ReadLine();
    EXPECT_THAT(line, HasSubstr(" groups=100000"));
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), count - 1);
  }
}

// Also not nobody, whose number the kernel shows for them.
TEST_F(TokensTest, T40_UsersOutsideTheServersUserNamespaceAreUnknown) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve-in-user-namespace", {EndpointArgument(), "mode=666"});
  const std::string ready = server.ReadLine();
  if (ready != "ready") GTEST_SKIP() << "no user namespace: " << ready;
  for (const char* user : {"uid=12346", "uid=65534"}) {
    Process client("call", {EndpointArgument(), user});
    EXPECT_THAT(client.ReadLine(), StartsWith("client euid=unknown egid=unknown pid="));
  }
  Process root("call", {EndpointArgument()});
  EXPECT_THAT(root.ReadLine(), StartsWith("client euid=0 egid=0 pid="));
}

TEST_F(TokensTest, T40_ProcessesOutsideTheServersPidNamespaceAreUnknown) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve-in-pid-namespace", {EndpointArgument(), "mode=666"});
  const std::string ready = server.ReadLine();
  if (ready != "ready") GTEST_SKIP() << "no pid namespace: " << ready;
  Process client("call", {EndpointArgument(), User(kBob)});
  EXPECT_THAT(client.ReadLine(), StartsWith("client euid=12346 egid=12346 pid=unknown"));
}

TEST_F(TokensTest, T35_ProcIsNotAskedWhoThePeerIs) {
  LWMSG_SKIP_UNLESS_ROOT();
  const std::string endpoint = "endpoint=unix-abstract:lwmsg-proc-" + std::to_string(getpid());
  Process server("serve-without-proc", {endpoint});
  const std::string ready = server.ReadLine();
  if (ready != "ready") GTEST_SKIP() << "/proc cannot be taken away: " << ready;
  Process client("call", {endpoint, User(kBob)});
  EXPECT_THAT(client.ReadLine(), StartsWith("client " + TokenText(kBob, client.PidText())));
}

TEST_F(TokensTest, GroupAndUserAreToldApart) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve", {EndpointArgument(), "mode=666"});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process client("call", {EndpointArgument(), User(kBob), "gid=20009"});
  EXPECT_THAT(client.ReadLine(), StartsWith("client euid=12346 egid=20009 "));
}

}  // namespace
}  // namespace lwmsg::test
