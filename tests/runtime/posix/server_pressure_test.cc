#include <sys/resource.h>

#include <fstream>
#include <string>

#include "tests/runtime/server_pressure_fixture.h"
#include "tests/support/posix/descriptor_famine.h"

// A server that may open no more descriptors.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;

TEST_F(ServerPressureTest, AcceptingPausesWithoutADescriptorAndGoesOn) {
  ServeAndListen();
  Peer& peer = NewPeer();
  Send(peer);  // Has its socket now.
  {
    const DescriptorFamine famine;
    RunUntil([&] { return Logged(LogLevel::kError, "cannot accept a client") > 0; });
    // Trying again without a pause would give a line a turn.
    RunFor(milliseconds(50));
    EXPECT_LE(Logged(LogLevel::kError, "cannot accept a client"), 2U);
    EXPECT_FALSE(peer.call);
  }
  RunUntil([&] { return peer.call.has_value(); });
  EXPECT_EQ(peer.call, Status());
}

TEST_F(ServerPressureTest, WithoutADescriptorTheLongestIdleMakesRoom) {
  Limits limits;
  limits.idle_timeout = milliseconds(1);
  ServeAndListen(limits);
  Peer& idle = NewPeer();
  ASSERT_EQ(Call(idle), Status());
  LetTimePass();
  Peer& other = NewPeer();
  Send(other);  // Has its socket now.
  const DescriptorFamine famine;
  RunUntil([&] { return other.call.has_value(); });
  EXPECT_EQ(other.call, Status());
  ASSERT_TRUE(idle.end);
  EXPECT_THAT(idle.end->message(), testing::HasSubstr("make room"));
  EXPECT_FALSE(server_->State().client_waits);
}

TEST_F(ServerPressureTest, NobodyIsEvictedForAClientThatFoundADescriptor) {
  Limits limits;
  limits.idle_timeout = milliseconds(300);
  ServeAndListen(limits);
  Peer& idle = NewPeer();
  ASSERT_EQ(Call(idle), Status());
  Peer& other = NewPeer();
  Send(other);
  {
    const DescriptorFamine famine;
    RunUntil([&] { return server_->State().client_waits; });
  }
  RunUntil([&] { return other.call.has_value(); });
  RunFor(milliseconds(400));
  EXPECT_EQ(Connected(), 2U);
}

TEST_F(ServerPressureTest, PlacesAreNoMoreThanTheDescriptorsAllow) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 400;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  Serve();
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(Logged(LogLevel::kWarning, "at most 150 associations at a time, not the 4096"), 1U);
}

TEST_F(ServerPressureTest, HasRoomForTheDescriptorsOfAllItsAssociations) {
  Limits limits;
  limits.max_associations = 150;
  Serve(limits);
  // The kernel's table (proc(5)); made larger later, it would hold up the loops.
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "FDSize:") {
  }
  size_t places = 0;
  EXPECT_TRUE(status >> places);
  EXPECT_GE(places, 2 * limits.max_associations);
}

}  // namespace
}  // namespace lwmsg::test
