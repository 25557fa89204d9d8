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
  // Over a connected, non-blocking socket. `strict_senders`: only who connected may write; it has
  // SetPassCredentials.
  SocketStream(OsHandle socket, SocketPeer peer, const Limits& limits, bool strict_senders);
  // To be connected.
  SocketStream(OsHandle socket, Endpoint endpoint, const WantedServer& wanted,
               const Limits& limits);

  ~SocketStream() override { HangUp(); }

  Result<bool> Connect() override;
  Result<std::unique_ptr<IoLoop::Watch>> MakeWatch(IoLoop& loop,
                                                   IoLoop::ReadyCallback callback) override;
  Result<Progress> Read(std::span<std::byte> shared, bool waits) override;
  bool can_wait_in_read() const override { return can_wait_in_read_; }
  void TakeHandles(bool takes) override;
  Result<Progress> Write() override;
  bool hung_up() const override;
  void HangUp() override;
  const Token& peer() const override { return peer_; }

 private:
  // What comes beside the bytes of a read.
  struct Control {
    std::vector<OsHandle> handles;
    std::optional<ucred> credentials;
    OsHandle process;
  };

  void Connected(SocketPeer peer);
  // When a message did not fit.
  void GrowSendBuffer();
  static Control TakeControl(const msghdr& header);

  OsHandle socket_;
  // Of one that was made to be connected.
  struct Server {
    Endpoint endpoint;
    WantedServer wanted;
  };
  std::unique_ptr<const Server> server_;
  Token peer_;
  bool wants_credentials_ = false;
  bool sent_credentials_ = false;
  bool can_wait_in_read_ = false;
  bool has_blocked_ = false;
  bool has_grown_ = false;
  bool passes_rights_;
  bool has_passed_rights_;  // What was sent then comes also when it does so no more.
  bool strict_senders_ = false;
};

}  // namespace lwmsg::internal
