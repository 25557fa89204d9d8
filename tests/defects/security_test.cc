#include <set>

#include "tests/defects/fixture.h"
#include "tests/support/inventory.h"
#include "tests/support/system.h"

// S: gaps in the security.
namespace lwmsg::test {
namespace {

TEST_F(Defects, S01_ServerOfAnotherUserGetsNothing) {
  Serve();
  const uint32_t other = OwnUser().value_or(0) + 1;
  ForBoth([this, other](const std::string& endpoint) {
    ClientOptions options;
    options.server_euid = other;
    Client client(loop_, endpoint, std::move(options));
    EXPECT_TRUE(Says(StatusOf(sample::SampleClient(client).Keep()), StatusCode::kPermissionDenied,
                     {"not the wanted user " + std::to_string(other)}));
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
  const auto before = OpenDescriptors();
  Serve();
  ForBoth([&](const std::string& endpoint) {
    Client client(loop_, endpoint);
    auto open = sample::SampleClient(client).Open();
    open->setPath(NullPath());
    auto opened = Answer(std::move(open));
    ASSERT_TRUE(opened) << opened.error();
    const auto file = opened->takeFile();
    ASSERT_TRUE(file);
    for (const auto& [number, name] : OpenDescriptors()) {
      if (before.count(number) != 0) continue;
      EXPECT_FALSE(IsInherited(number)) << number << " " << name;
    }
    EXPECT_FALSE(IsInherited(file->get()));
  });
}

TEST_F(Defects, S06_PeerOfAPairIsWhoWrites) {
  Serve();
  auto pair = MakePairHere();
  ASSERT_TRUE(pair);
  ASSERT_EQ(server_->Adopt(std::move(pair->first)), Status());
  Client client(loop_, std::move(pair->second));
  auto me = Answer(sample::SampleClient(client).Whoami());
  ASSERT_TRUE(me) << me.error();
  EXPECT_EQ(me->getEuid(), OrMinusOne(OwnUser()));
  EXPECT_EQ(me->getPid(), OwnProcessId());
  EXPECT_EQ(client.peer().pid(), OwnProcessId());
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
