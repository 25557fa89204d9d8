#pragma once

#include "tests/runtime/server_fixture.h"

namespace lwmsg::test {

class ServerPressureTest : public ServerTest {
 protected:
  size_t Connected() const { return server_->association_count(); }
  // Runs until a client is known to wait.
  void RunUntilOneWaits() {
    RunUntil([&] { return server_->State().client_waits; });
  }
  // So that what follows is later, also for a coarse clock.
  void LetTimePass() { RunFor(std::chrono::milliseconds(5)); }
  // Makes a call that the handler keeps.
  void SendKeep(Peer& peer) {
    const size_t before = sample_.kept.size();
    sample::SampleClient(*peer.client).Keep().Send([&peer](auto reply) {
      peer.call = reply ? Status() : reply.error();
    });
    RunUntil([&] { return sample_.kept.size() > before; });
  }
};

}  // namespace lwmsg::test
