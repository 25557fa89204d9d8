#include <fcntl.h>
#include <unistd.h>

#include <set>

#include "tests/defects/fixture.h"
#include "tests/support/inventory.h"

// S: gaps in the security.
namespace lwmsg::test {
namespace {

TEST_F(Defects, S01_ServerOfAnotherUserGetsNothing) {
  Serve();
  ForBoth([this](const std::string& endpoint) {
    ClientOptions options;
    options.server_euid = geteuid() + 1;
    Client client(loop_, endpoint, std::move(options));
    EXPECT_TRUE(Says(StatusOf(sample::SampleClient(client).Keep()), StatusCode::kPermissionDenied,
                     {"not the wanted user " + std::to_string(geteuid() + 1)}));
  });
}

TEST_F(Defects, S02_KeysAndSessionsCannotBeGuessed) {
  std::set<std::string> keys;
  std::set<uint64_t> high_halves;
  for (int i = 0; i < 1000; ++i) {
    keys.insert(SessionKey::Random().bytes());
    high_halves.insert(RandomId() >> 32);
  }
  EXPECT_EQ(keys.size(), 1000U);
  EXPECT_EQ(keys.begin()->size(), 16U);
  EXPECT_GT(high_halves.size(), 990U) << "ids grow from one another";
}

TEST_F(Defects, S04_DescriptorsAreCloseOnExec) {
  Serve();
  ForBoth([this](const std::string& endpoint) {
    Client client(loop_, endpoint);
    auto open = sample::SampleClient(client).Open();
    open->setPath("/dev/null");
    auto opened = Answer(std::move(open));
    ASSERT_TRUE(opened) << opened.error();
    const auto file = opened->takeFile();
    ASSERT_TRUE(file);
    for (const auto& [number, name] : OpenDescriptors()) {
      if (number <= 2 || !name.starts_with("socket:")) continue;
      EXPECT_NE(fcntl(number, F_GETFD) & FD_CLOEXEC, 0) << number << " " << name;
    }
    EXPECT_NE(fcntl(file->get(), F_GETFD) & FD_CLOEXEC, 0);
  });
}

TEST_F(Defects, S05_HandleOfAMessageWithoutAFieldForItReachesNoOther) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  const auto files = SomeFiles(1);
  peer.Write(
      CallFrame(
          1, kEcho,
          [](auto params) { params.template initAs<sample::Sample::EchoParams>().setText("x"); },
          1),
      files);
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kMalformed, {"no field for them"}));
  peer.Write(GiveFrame(2, 1, 0, 0));
  EXPECT_TRUE(Says(AnswerTo(peer, 2), StatusCode::kMalformed, {"Sample.give"}));
  EXPECT_EQ(Echo(peer, 3), Status());
}

TEST_F(Defects, S06_PeerOfAPairIsWhoWrites) {
  Serve();
  auto pair = MakePair();
  ASSERT_TRUE(pair);
  ASSERT_EQ(server_->Adopt(std::move(pair->first)), Status());
  Client client(loop_, std::move(pair->second));
  auto me = Answer(sample::SampleClient(client).Whoami());
  ASSERT_TRUE(me) << me.error();
  EXPECT_EQ(me->getEuid(), geteuid());
  EXPECT_EQ(me->getPid(), getpid());
  EXPECT_EQ(client.peer().pid(), static_cast<uint32_t>(getpid()));
}

TEST_F(Defects, S08_ReasonOfTheConstructorReachesTheCaller) {
  ServerOptions options;
  options.on_session = [](NewSession session) {
    session.Refuse({StatusCode::kFailedPrecondition, "register first"});
  };
  Serve(std::move(options));
  ForBoth([this](const std::string& endpoint) {
    EXPECT_TRUE(Says(EchoAt(endpoint), StatusCode::kFailedPrecondition, {"register first"}));
  });
}

}  // namespace
}  // namespace lwmsg::test
