#pragma once

#include <memory>
#include <optional>

#include "lwmsg/endpoint.h"
#include "lwmsg/internal/link.h"
#include "lwmsg/transport.h"
#include "runtime/io_loop.h"
#include "runtime/posix/socket_stream.h"

namespace lwmsg::internal {

// A Transport over one Unix socket, on any IoLoop. Owned by its association.
class SocketTransport final : public Transport, private Flushable {
 public:
  // What to connect to, and who must be there.
  struct Target {
    Endpoint endpoint;
    std::optional<uint32_t> server_euid;
  };

  // Over a socket that is not connected yet, as the server is busy: tries when it is started.
  SocketTransport(IoLoop& loop, OsHandle socket, Target target, const Limits& limits);
  // Over a connected, non-blocking socket.
  SocketTransport(IoLoop& loop, OsHandle socket, const Limits& limits);
  // Sends what the kernel takes of the queue at once, and hangs up.
  ~SocketTransport() override;

  void Start(Listener& listener) override;
  void Send(OutgoingMessage message) override;
  void Close(UniqueFunction<void()> done) override;
  size_t queued_bytes() const override { return stream_.queued_bytes(); }
  const Token& peer() const override { return stream_.peer(); }

 private:
  // kFinishing: Close was called, and the queue is still going out.
  enum class State { kIdle, kConnecting, kOpen, kFinishing, kDone };

  SocketTransport(IoLoop& loop, const Limits& limits);

  void Flush() override;
  void TryConnect();
  void Open();
  void OnReady(IoLoop::Ready ready);
  // Reads and delivers until nothing is there for now. False if this was destroyed or is closed.
  bool Receive();
  bool Deliver();
  void UpdateWatch(bool blocked);
  void OnTimer();
  // Tells the listener, last.
  void Fail(Status reason);
  void FailLater(Status reason);
  void Finish();

  Anchor<SocketTransport> anchor_{this};
  IoLoop& loop_;
  const Limits limits_;
  SocketStream stream_;
  std::optional<Target> target_;
  State state_ = State::kIdle;
  Listener* listener_ = nullptr;
  UniqueFunction<void()> done_;
  bool write_failed_ = false;
  bool failed_ = false;      // The listener was told.
  bool delivering_ = false;  // A frame is in the listener's hands.
  TimePoint connect_deadline_;
  std::chrono::milliseconds connect_delay_{1};
  // Bounds connecting, then each stretch of time in which the peer takes nothing.
  Timer timer_;
  std::unique_ptr<IoLoop::Watch> watch_;
};

}  // namespace lwmsg::internal
