#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "tests/hostile/fixture.h"
#include "tests/multiprocess/posix/child.h"
#include "tests/multiprocess/posix/user.h"

// Connections to which others write than the process that connected.
namespace lwmsg::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// A call without an answer.
std::string LogFrame(const std::string& text) {
  return CallFrame(0, kLog, [&](auto params) {
    params.template initAs<sample::Sample::LogParams>().setText(text);
  });
}

// Writes to a connection as somebody else; the kernel lets root say anything.
bool WriteForged(const RawPeer& peer, const std::string& bytes, const ucred& claimed) {
  iovec piece = {const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> space{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = space.data();
  header.msg_controllen = space.size();
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_CREDENTIALS;
  control->cmsg_len = CMSG_LEN(sizeof(ucred));
  std::memcpy(CMSG_DATA(control), &claimed, sizeof(ucred));
  return sendmsg(peer.end().get(), &header, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

// A server that listens twice, once with strict senders.
class SendersTest : public HostilePeerTest {
 protected:
  void SetUp() override {
    LWMSG_SKIP_UNLESS_ROOT();
    Serve();
    ASSERT_EQ(server_->Listen(folder_.Endpoint("lax"), {.mode = 0666}), Status());
    ASSERT_EQ(server_->Listen(folder_.Endpoint("strict"), {.mode = 0666, .strict_senders = true}),
              Status());
  }

  // Alice has connected and said hello.
  RawPeer AlicesConnection(const std::string& name) {
    RawPeer peer(RawStream(ConnectedBy(kAlice, folder_.Endpoint(name))));
    WriteAs(kAlice, peer, HelloFrame());
    return peer;
  }
  static void WriteAs(uid_t user, RawPeer& peer, const std::string& bytes) {
    RunAs(user, [&] { return peer.Write(bytes); });
  }
  // Whom the server takes the caller of whoami for.
  std::string AnswerToWhoami(RawPeer& peer, uint32_t id) {
    EXPECT_EQ(AnswerTo(peer, id), Status());
    for (const RawFrame& frame : peer.frames()) {
      auto envelope = frame.envelope();
      if (!envelope.isReply() || envelope.getReply().getId() != id) continue;
      return envelope.getReply().getResults().getAs<sample::Sample::WhoamiResults>().getText();
    }
    return "";
  }
  // That user 12345's connection has ended because of another's words.
  void ExpectCut(RawPeer& peer, const std::string& writer) {
    EXPECT_TRUE(
        Says(GoodbyeTo(peer), StatusCode::kPermissionDenied,
             {writer + " wrote to the connection of euid=12345", "ListenOptions::strict_senders"}));
    RunUntil([this] { return AttackersAreGone(); });
    ASSERT_EQ(ends_.size(), 1U);
    EXPECT_THAT(ends_[0].message(), HasSubstr(writer + " wrote to the connection"));
  }
};

TEST_F(SendersTest, AStrictServerHearsWhoConnected) {
  RawPeer peer = AlicesConnection("strict");
  for (uint32_t id = 1; id <= 3; ++id) {
    WriteAs(kAlice, peer, EchoFrame(id, "text"));
    EXPECT_EQ(AnswerTo(peer, id), Status());
  }
  Client client(loop_, folder_.Endpoint("strict"));
  EXPECT_EQ(Echo(client), Status());
  EXPECT_EQ(Echo(client), Status());
}

TEST_F(SendersTest, T37_WhatAnotherUserWritesIsItsConnectorsByDefault) {
  RawPeer peer = AlicesConnection("lax");
  WriteAs(kBob, peer, CallFrame(1, kWhoami));
  EXPECT_THAT(AnswerToWhoami(peer, 1), StartsWith("euid=12345 egid=12345 "));
}

// The socket knows who that is; the first writer may be anybody.
TEST_F(SendersTest, ConnectionThatWasAcceptedElsewhereIsItsConnectors) {
  const std::string endpoint = folder_.Endpoint("elsewhere");
  const OsHandle listening = ListenPlainly(endpoint);
  ASSERT_EQ(chmod(folder_.Path("elsewhere").c_str(), 0666), 0);
  RawPeer peer(RawStream(ConnectedBy(kAlice, endpoint)));
  OsHandle accepted(accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_EQ(server_->Adopt(std::move(accepted)), Status());
  WriteAs(kBob, peer, HelloFrame() + CallFrame(1, kWhoami));
  EXPECT_THAT(AnswerToWhoami(peer, 1), StartsWith("euid=12345 egid=12345 "));
}

TEST_F(SendersTest, T37_AStrictServerCutsAConnectionToWhichAnotherUserWrites) {
  RawPeer peer = AlicesConnection("strict");
  WriteAs(kAlice, peer, EchoFrame(1, "text"));
  EXPECT_EQ(AnswerTo(peer, 1), Status());
  WriteAs(kBob, peer, LogFrame("his"));
  ExpectCut(peer, "user 12346");
  EXPECT_THAT(sample_.logged, ElementsAre());
}

// Before the server reads anything, or has even accepted.
TEST_F(SendersTest, T37_WordsOfTwoUsersAreNotTakenForOnes) {
  RawPeer peer = AlicesConnection("strict");
  WriteAs(kAlice, peer, LogFrame("hers"));
  WriteAs(kBob, peer, LogFrame("his"));
  WriteAs(kAlice, peer, LogFrame("hers"));
  ExpectCut(peer, "user 12346");
  EXPECT_THAT(sample_.logged, ElementsAre("hers"));
}

TEST_F(SendersTest, T38_WhatRootForgesChangesNobodysToken) {
  RawPeer peer = AlicesConnection("lax");
  ASSERT_TRUE(WriteForged(peer, CallFrame(1, kWhoami), {.pid = 1, .uid = kBob, .gid = kBob}));
  const std::string who = AnswerToWhoami(peer, 1);
  EXPECT_THAT(who, StartsWith("euid=12345 egid=12345 "));
  EXPECT_THAT(who, testing::Not(HasSubstr("pid=1 ")));
}

TEST_F(SendersTest, T38_AStrictServerCutsAForgedWriter) {
  RawPeer peer = AlicesConnection("strict");
  ASSERT_TRUE(WriteForged(peer, LogFrame("forged"), {.pid = 1, .uid = 0, .gid = 0}));
  ExpectCut(peer, "user 0");
  EXPECT_THAT(sample_.logged, ElementsAre());
}

// A program of more rights that is started with the connection as its standard error.
TEST_F(SendersTest, T44_TextOfADeputyRunsNoHandler) {
  const std::string usage = "usage: deputy [-v] FILE...\n" + LogFrame("text");
  RawPeer lax = AlicesConnection("lax");
  WriteAs(0, lax, usage);
  EXPECT_TRUE(Says(GoodbyeTo(lax), StatusCode::kMalformed, {}));
  RunUntil([this] { return AttackersAreGone(); });
  ends_.clear();
  RawPeer strict = AlicesConnection("strict");
  WriteAs(0, strict, usage);
  ExpectCut(strict, "user 0");
  EXPECT_THAT(sample_.logged, ElementsAre());
}

// One whose text the caller may choose: as long as a frame.
TEST_F(SendersTest, T44_FrameThatADeputyWritesIsForStrictServersToRefuse) {
  RawPeer peer = AlicesConnection("strict");
  WriteAs(0, peer, LogFrame("text"));
  ExpectCut(peer, "user 0");
  EXPECT_THAT(sample_.logged, ElementsAre());
}

TEST_F(SendersTest, AStrictServerRefusesAProgramOfTwoUsers) {
  const OsHandle socket = NewSocket();
  RunAs(0, [&] {
    const std::string bytes = HelloFrame() + LogFrame("text");
    return BecomeUsers(kBob, kAlice, kAlice) && ConnectTo(socket, folder_.Endpoint("strict")) &&
           WriteAll(socket, bytes);
  });
  RawPeer peer(RawStream(OsHandle(dup(socket.get()))));
  ExpectCut(peer, "user 12346");
  EXPECT_THAT(sample_.logged, ElementsAre());
}

}  // namespace
}  // namespace lwmsg::test
