#pragma once

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <string>

#include "lwmsg/lwmsg.h"
#include "tests/multiprocess/process.h"
#include "tests/multiprocess/user.h"
#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {

// Has a folder in which every user may make sockets.
class MultiprocessTest : public InventoriedTest {
 protected:
  MultiprocessTest() { chmod(folder_.path().c_str(), 0777); }

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

// How a token begins that is of `user`, whose group has the same number, in process `pid`.
inline std::string TokenText(uid_t user, const std::string& pid) {
  const std::string number = std::to_string(user);
  return "euid=" + number + " egid=" + number + " pid=" + pid + " ";
}

}  // namespace lwmsg::test
