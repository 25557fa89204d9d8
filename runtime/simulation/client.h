#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "lwmsg/client.h"
#include "lwmsg/internal/link.h"
#include "lwmsg/limits.h"
#include "runtime/connecting.h"
#include "runtime/simulation/loop.h"
#include "runtime/simulation/server.h"
#include "runtime/simulation/wire.h"
#include "runtime/simulation/world.h"

namespace lwmsg::internal {

// Calls go through it, so that it can look after them, to the Connector that a Client has.
class SimulatedClientImpl final : private CallTarget, private Party {
 public:
  SimulatedClientImpl(World& world, SimulatedServerImpl& server, ClientOptions options,
                      TokenFacts identity);
  SimulatedClientImpl(const SimulatedClientImpl&) = delete;
  SimulatedClientImpl& operator=(const SimulatedClientImpl&) = delete;
  ~SimulatedClientImpl();

  Connector& connector() { return connector_; }
  Channel channel() { return Channel(LoopRef<CallTarget>(loop_, anchor_.link())); }
  void Lose();
  void SendBytes(Side from, std::string_view bytes, std::vector<OsHandle> handles);
  void SendStray(Side from);

 private:
  std::unique_ptr<Transport> MakeTransport();
  ClientOptions Watched(ClientOptions options);
  void OnEnd(const Status& reason);
  CallTarget& target() { return *connector_.channel().target(); }

  PendingCall Start(OutgoingCall call, ReplyCallback done) override;
  Status Post(OutgoingCall call) override { return target().Post(std::move(call)); }
  const std::shared_ptr<Session>& session() override { return target().session(); }
  bool can_wait() const override { return false; }
  void WaitOnce() override {}
  void End() override { connector_.Close(); }
  void CheckEnded() override;

  Anchor<CallTarget> anchor_{this};
  World& world_;
  SimulatedLoop& loop_;
  const Link<SimulatedServerImpl> server_;
  const Limits limits_;
  TokenFacts identity_;
  std::vector<std::shared_ptr<Wire>> wires_;  // The last is that of now.
  Connector connector_;
};

}  // namespace lwmsg::internal
