#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "tests/multiprocess/posix/fixture.h"
#include "tests/multiprocess/posix/sockets_of.h"

// Children that inherit one end of a pair, and nothing else.
namespace lwmsg::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// T43: no listening socket either.
TEST_F(SpawnTest, ChildInheritsNoSocketButItsPair) {
  Loop loop;
  SampleService service;
  Server server(loop);
  ASSERT_TRUE(server.Serve(service).ok());
  ASSERT_TRUE(server.Listen(folder_.Endpoint()).ok());
  auto unrelated = MakePair();
  ASSERT_TRUE(unrelated);
  auto child = SpawnWithPair({OwnPath(), "--role=serve-pair"});
  ASSERT_TRUE(child) << child.error();
  const Reaper reaper(child->pid);
  Client client(loop, std::move(child->channel));
  bool answered = false;
  sample::SampleClient(client).Nothing().Send([&](auto reply) { answered = reply.has_value(); });
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return answered; }));
  const auto theirs = SocketsOf(child->pid);
  const auto ours = SocketsOf(OwnProcessId());
  EXPECT_EQ(theirs.size(), 1U);
  EXPECT_GE(ours.size(), 4U);
  for (const std::string& socket : theirs) {
    EXPECT_EQ(std::find(ours.begin(), ours.end(), socket), ours.end()) << socket;
  }
}

TEST_F(SpawnTest, PairIsTakenOnceAndNotInheritedFurther) {
  Process spawner("spawn", {"child=take-twice"});
  EXPECT_THAT(spawner.ReadLine(), StartsWith("took socket:"));
  EXPECT_THAT(spawner.ReadLine(),
              AllOf(StartsWith("failed precondition: "), HasSubstr("LWMSG_PAIR_FD")));
  EXPECT_EQ(spawner.ReadLine(), "grandchild variable unset");
  EXPECT_EQ(spawner.ReadLine(), "child ended");
  EXPECT_EQ(spawner.Wait(), 0);
}

TEST_F(SpawnTest, VariableThatNamesNoDescriptorIsReported) {
  for (const char* value : {"", "x", "-1", "99999", "7x", "99999999999999999999"}) {
    setenv("LWMSG_PAIR_FD", value, 1);
    auto pair = TakeInheritedPair();
    ASSERT_FALSE(pair) << value;
    EXPECT_EQ(pair.error().code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(pair.error().message(),
                AllOf(HasSubstr("LWMSG_PAIR_FD"), HasSubstr("no open descriptor")));
    EXPECT_EQ(getenv("LWMSG_PAIR_FD"), nullptr);
  }
}

}  // namespace
}  // namespace lwmsg::test
