#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "tests/hostile/raw_frames.h"
#include "tests/hostile/raw_peer.h"
#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {

// A status of that code whose text has all those parts.
testing::AssertionResult Says(const std::optional<Status>& status, StatusCode code,
                              const std::vector<std::string>& parts);

// How often that limit has hit in this process.
uint64_t HitsOf(std::string_view limit);

// A server with a well-behaved client on one loop, which the test runs, and raw peers that attack
// it. Afterwards the attackers' associations must be gone, and both the client that was there all
// along and a new one must be served.
class HostilePeerTest : public InventoriedTest {
 protected:
  void Serve(const Limits& limits = {});
  void TearDown() override;

  RawPeer Connect();
  // Has written its hello.
  RawPeer ConnectAndGreet(const HelloFields& fields = {});

  // The test fails after 20 seconds.
  void RunUntil(const std::function<bool()>& done);
  // Runs until the server has cut `peer`: what it said last.
  std::optional<Status> GoodbyeTo(RawPeer& peer);
  std::optional<Status> AnswerTo(RawPeer& peer, uint32_t id);
  // OK if `peer` can still make a call.
  Status Echo(RawPeer& peer, uint32_t id);
  // Likewise for a client.
  Status Echo(Client& client);
  // Nobody but the well-behaved client is there.
  bool AttackersAreGone() const { return server_->association_count() == 1; }

  TemporaryFolder folder_;
  Loop loop_;
  SampleService sample_;
  std::vector<Status> ends_;  // Why associations ended.
  std::optional<Server> server_;
  std::optional<Client> bystander_;
};

// Servers that cannot be reached, or die.
class UnreachableServerTest : public HostilePeerTest {};

}  // namespace lwmsg::test
