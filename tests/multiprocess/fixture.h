#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <string>

#include "lwmsg/lwmsg.h"
#include "tests/support/inventory.h"
#include "tests/support/process.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {

// Has a folder in which every user may make sockets.
class MultiprocessTest : public InventoriedTest {
 protected:
  MultiprocessTest() {
    std::filesystem::permissions(folder_.path(),
                                 std::filesystem::perms::all | std::filesystem::perms::sticky_bit);
  }

  std::string EndpointArgument() const { return "endpoint=" + folder_.Endpoint(); }
  // OK if a server serves there.
  static Status CallNothing(const std::string& endpoint) {
    BlockingClient client(endpoint);
    auto reply = sample::SampleClient(client).Nothing().Sync();
    return reply ? Status() : reply.error();
  }
  Status CallNothing() const { return CallNothing(folder_.Endpoint()); }

  TemporaryFolder folder_;
};

// Those of which one part is built everywhere and one only where it means something.

class TokensTest : public MultiprocessTest {};

class SpawnTest : public MultiprocessTest {};

class ReconnectTest : public MultiprocessTest {
 protected:
  ClientOptions Options(Reconnect reconnect) {
    ClientOptions options;
    options.reconnect = reconnect;
    options.on_session_lost = [this] { ++sessions_lost_; };
    return options;
  }
  int sessions_lost_ = 0;
};

}  // namespace lwmsg::test
