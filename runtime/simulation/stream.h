#pragma once

#include <memory>
#include <span>
#include <string>

#include "lwmsg/function.h"
#include "runtime/frame_stream.h"
#include "runtime/simulation/wire.h"
#include "runtime/simulation/world.h"

namespace lwmsg::internal {

// One end of a simulated connection, where a SocketStream would be.
class SimulatedStream final : public FrameStream {
 public:
  // Tells the server of the connection. False: it is busy. Error: kUnavailable.
  using ConnectFunction = UniqueFunction<Result<bool>()>;

  // `peer`: what the system says of the other side. `connect` of the client's end.
  SimulatedStream(World& world, std::shared_ptr<Wire> wire, Side side, Token peer,
                  const Limits& limits, ConnectFunction connect = {});
  ~SimulatedStream() override { HangUp(); }

  Result<bool> Connect() override { return connect_(); }
  Result<std::unique_ptr<IoLoop::Watch>> MakeWatch(IoLoop& loop,
                                                   IoLoop::ReadyCallback callback) override;
  Result<Progress> Read(std::span<std::byte> shared, bool waits) override;
  Result<Progress> Write() override;
  void TakeHandles(bool takes) override;
  void HangUp() override { wire_->HangUp(side_); }
  const Token& peer() const override { return peer_; }

 private:
  Status CannotPass(size_t handles);

  World& world_;
  const std::shared_ptr<Wire> wire_;
  const Side side_;
  const Token peer_;
  ConnectFunction connect_;
};

}  // namespace lwmsg::internal
