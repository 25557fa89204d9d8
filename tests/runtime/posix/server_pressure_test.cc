#include <sys/resource.h>
#include <unistd.h>

#include "tests/runtime/server_pressure_fixture.h"

// A server that may open no more descriptors.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;

// Takes all descriptors that this process may still open.
class DescriptorFamine {
 public:
  DescriptorFamine() {
    getrlimit(RLIMIT_NOFILE, &before_);
    int lowest_free = dup(0);
    close(lowest_free);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest_free);
    setrlimit(RLIMIT_NOFILE, &none);
  }
  DescriptorFamine(const DescriptorFamine&) = delete;
  DescriptorFamine& operator=(const DescriptorFamine&) = delete;
  ~DescriptorFamine() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

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

}  // namespace
}  // namespace lwmsg::test
