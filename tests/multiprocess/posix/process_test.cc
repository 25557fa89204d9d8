#include "tests/support/process.h"

#include <unistd.h>

#include "tests/hostile/fixture.h"
#include "tests/multiprocess/posix/child.h"
#include "tests/multiprocess/posix/user.h"
#include "tests/support/posix/descriptor_famine.h"
#include "tests/support/posix/next_number.h"

// The process of a peer: which one it is, when its number is given away, and its end.
namespace lwmsg::test {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

// A server in this process, which everybody may connect to.
class ProcessTest : public HostilePeerTest {
 protected:
  void SetUp() override {
    LWMSG_SKIP_UNLESS_ROOT();
    Serve();
    ASSERT_EQ(server_->Listen(folder_.Endpoint("open"), {.mode = 0666}), Status());
  }

  // Of the association that came after the well-behaved client's.
  Token TokenOfPeer() {
    RunUntil([this] { return server_->association_count() == 2; });
    return server_->State().associations.back().peer;
  }
  std::function<bool()> Connecting(const OsHandle& socket) const {
    return [this, &socket] { return ConnectTo(socket, folder_.Endpoint("open")); };
  }
  Result<ProcessWatch> Watch(const Token& token, int& ends) {
    return WatchProcess(loop_, token, [&ends] { ++ends; });
  }
};

TEST_F(ProcessTest, T35_WhoGetsThePeersNumberIsNotThePeer) {
  int given_away = 0;
  for (int tries = 0; given_away < 100 && tries < 3000; ++tries) {
    OsHandle socket = NewSocket();
    pid_t number = 0;
    {
      const Child peer(kAlice, Connecting(socket));
      number = peer.pid();
      // Accepted while it lived, or afterwards.
      if (tries % 2 == 0) TokenOfPeer();
    }
    if (!ChooseNextNumber(number)) GTEST_SKIP() << "this user may not choose a process's number";
    {
      const Child other(kBob, [] { return true; });
      const Token token = TokenOfPeer();
      EXPECT_EQ(token.euid(), kAlice);
      EXPECT_TRUE(token.process().valid() || tries % 2 != 0);
      if (other.pid() == number) {
        ++given_away;
        // That of the other has not.
        EXPECT_TRUE(!token.process().valid() || HasEnded(token.process()));
      }
    }
    socket.Close();
    RunUntil([this] { return AttackersAreGone(); });
  }
  EXPECT_EQ(given_away, 100);
}

TEST_F(ProcessTest, T36_WordsOfAProcessThatHasEndedAreItsUsers) {
  sample_.kept_logs.emplace();
  RunAs(kAlice, [this] {
    const OsHandle socket = NewSocket();
    const std::string bytes =
        HelloFrame() + CallFrame(0, kLog, [](auto params) {
          params.template initAs<sample::Sample::LogParams>().setText("last words");
        });
    return ConnectTo(socket, folder_.Endpoint("open")) && WriteAll(socket, bytes);
  });
  RunUntil([this] { return !sample_.kept_logs->empty(); });
  const Token token = sample_.kept_logs->front().peer();
  EXPECT_EQ(token.euid(), kAlice);
  EXPECT_TRUE(!token.process().valid() || HasEnded(token.process()));
  sample_.kept_logs.reset();
  RunUntil([this] { return AttackersAreGone(); });
}

// The kernel then puts a negative number where the process's descriptor would be.
TEST_F(ProcessTest, T33_WithoutADescriptorThePeersProcessIsUnknownAndNothingElse) {
  auto pair = MakePair();
  ASSERT_TRUE(pair);
  ASSERT_EQ(server_->Adopt(std::move(pair->first)), Status());
  RawPeer peer(RawStream(std::move(pair->second)));
  const DescriptorFamine famine;
  peer.Write(HelloFrame() + EchoFrame(1, "text"));
  EXPECT_EQ(AnswerTo(peer, 1), Status());
  const Token token = TokenOfPeer();
  EXPECT_EQ(token.euid(), geteuid());
  EXPECT_FALSE(token.process().valid()) << token.process().get();
  int ends = 0;
  EXPECT_EQ(Watch(token, ends).error().code(), StatusCode::kFailedPrecondition);
}

TEST_F(ProcessTest, EndOfAProcessIsToldThoughItsConnectionLivesOn) {
  const OsHandle socket = NewSocket();
  int ends = 0;
  std::optional<Child> child(std::in_place, kAlice, Connecting(socket));
  const Token token = TokenOfPeer();
  ASSERT_EQ(token.pid(), static_cast<uint32_t>(child->pid()));
  auto watch = Watch(token, ends);
  ASSERT_TRUE(watch) << watch.error();
  auto second = Watch(token, ends);
  ASSERT_TRUE(second) << second.error();
  RawPeer peer(RawStream(OsHandle(dup(socket.get()))));
  peer.Write(HelloFrame());
  EXPECT_EQ(Echo(peer, 1), Status());
  EXPECT_EQ(ends, 0);
  child.reset();
  RunUntil([&] { return ends == 2; });
  EXPECT_EQ(Echo(peer, 2), Status()) << "its connection is this process's now";
  EXPECT_EQ(ends, 2);
}

TEST_F(ProcessTest, EndOfAConnectionIsNotThatOfItsProcess) {
  OsHandle socket = NewSocket();
  int ends = 0;
  std::optional<Child> child(std::in_place, kAlice, [&] {
    const bool connected = ConnectTo(socket, folder_.Endpoint("open"));
    socket.Close();
    return connected;
  });
  auto watch = Watch(TokenOfPeer(), ends);
  ASSERT_TRUE(watch) << watch.error();
  socket.Close();
  RunUntil([this] { return AttackersAreGone(); });
  EXPECT_EQ(ends, 0);
  child.reset();
  RunUntil([&] { return ends == 1; });
}

TEST_F(ProcessTest, WatchOfAProcessThatHasEndedTellsAndMayGoMeanwhile) {
  const OsHandle socket = NewSocket();
  std::optional<Child> child(std::in_place, kAlice, Connecting(socket));
  const Token token = TokenOfPeer();
  child.reset();
  std::optional<ProcessWatch> watch;
  auto made = WatchProcess(loop_, token, [&watch] { watch.reset(); });
  ASSERT_TRUE(made) << made.error();
  watch.emplace(std::move(*made));
  RunUntil([&] { return !watch; });
  int ends = 0;
  {
    auto dropped = Watch(token, ends);
    ASSERT_TRUE(dropped) << dropped.error();
  }
  EXPECT_EQ(Echo(*bystander_), Status());
  EXPECT_EQ(ends, 0);
}

class HardenTest : public InventoriedTest {
 protected:
  // What becomes of the attempt to take a descriptor of a process of one's own user.
  static std::string Theft(const std::string& victim) {
    Process thief("steal", {"uid=" + std::to_string(kAlice), victim});
    EXPECT_EQ(thief.ReadLine(), "ready");
    thief.Tell("steal");
    return thief.ReadLine();
  }
};

TEST_F(HardenTest, T45_ProcessOfTheSameUserTakesNoDescriptor) {
  LWMSG_SKIP_UNLESS_ROOT();
  const std::string soft = Theft("harden=no");
  if (soft != "took it") GTEST_SKIP() << "here nobody may: " << soft;
  EXPECT_EQ(Theft("harden=yes"), "Operation not permitted");
}

// Its files in /proc are root's then.
TEST_F(HardenTest, T45_AHardenedProcessServesAndCalls) {
  LWMSG_SKIP_UNLESS_ROOT();
  const TemporaryFolder folder;
  ASSERT_EQ(chown(folder.path().c_str(), kAlice, kAlice), 0);
  const std::string user = "uid=" + std::to_string(kAlice);
  const std::string endpoint = "endpoint=" + folder.Endpoint();
  Process server("serve", {endpoint, user, "harden=yes"});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process client("call", {endpoint, user, "harden=yes"});
  EXPECT_THAT(client.ReadLine(), StartsWith("client euid=12345 "));
  EXPECT_THAT(client.ReadLine(), StartsWith("server euid=12345 "));
}

}  // namespace
}  // namespace lwmsg::test
