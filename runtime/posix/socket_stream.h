#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lwmsg/endpoint.h"
#include "lwmsg/os_handle.h"
#include "runtime/frame_stream.h"
#include "runtime/posix/peer_token.h"

namespace lwmsg::internal {

// Over a Unix socket.
class SocketStream final : public FrameStream {
 public:
  // Over a connected, non-blocking socket, whose reader the kernel passes descriptors or not.
  SocketStream(OsHandle socket, SocketPeer peer, const Limits& limits, bool passes_rights = true);
  // To be connected.
  SocketStream(OsHandle socket, Endpoint endpoint, std::optional<uint32_t> server_euid,
               const Limits& limits);

  ~SocketStream() override { HangUp(); }

  Result<bool> Connect() override;
  Result<std::unique_ptr<IoLoop::Watch>> MakeWatch(IoLoop& loop,
                                                   IoLoop::ReadyCallback callback) override;
  Result<Progress> Read(std::span<std::byte> shared, bool waits) override;
  bool can_wait_in_read() const override { return can_wait_in_read_; }
  void TakeHandles(bool takes) override;
  Result<Progress> Write() override;
  void HangUp() override;
  const Token& peer() const override { return peer_; }

 private:
  void Connected(SocketPeer peer);
  // Once a message did not fit.
  void GrowSendBuffer();
  void TakeControl(const msghdr& header, std::vector<OsHandle>& handles);

  OsHandle socket_;
  // Of one that was made to be connected.
  struct Server {
    Endpoint endpoint;
    std::optional<uint32_t> euid;
  };
  std::unique_ptr<const Server> server_;
  Token peer_;
  bool wants_credentials_ = false;
  bool sent_credentials_ = false;
  bool can_wait_in_read_ = false;
  bool has_grown_ = false;
  bool passes_rights_ = true;  // As far as is known.
};

}  // namespace lwmsg::internal
