#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "lwmsg/endpoint.h"
#include "lwmsg/internal/link.h"
#include "lwmsg/limit_hits.h"
#include "lwmsg/transport.h"
#include "runtime/frame_stream.h"
#include "runtime/io_loop.h"
#include "runtime/user_share.h"

namespace lwmsg::internal {

// A Transport over one FrameStream, on any IoLoop. Owned by its association.
class StreamTransport final : public Transport, private Flushable, private UserShare::Waiter {
 public:
  // Over a connected stream. Of one that a server accepted, `share` is that of its user: such a
  // peer is not read while it does not read.
  StreamTransport(IoLoop& loop, std::unique_ptr<FrameStream> stream, const Limits& limits,
                  std::shared_ptr<UserShare> share = nullptr);
  // Over a stream that is not connected yet, as the server at `endpoint` is busy: tries when it is
  // started.
  StreamTransport(IoLoop& loop, std::unique_ptr<FrameStream> stream, std::string endpoint,
                  const Limits& limits);
  // Sends what the kernel takes of the queue at once, and hangs up.
  ~StreamTransport() override;

  void Start(Listener& listener) override;
  void Send(OutgoingMessage message) override;
  void TakeHandles(bool takes) override { stream_->TakeHandles(takes); }
  void Close(UniqueFunction<void()> done) override;
  Queued queued() const override { return stream_->queued(); }
  Queued queued_for_user() const override;
  const Token& peer() const override { return stream_->peer(); }

 private:
  // kFinishing: Close was called, and the queue is still going out.
  enum class State { kIdle, kConnecting, kOpen, kFinishing, kDone };

  void Flush() override;
  void TryConnect();
  void Open();
  void OnReady(IoLoop::Ready ready);
  // Reads and delivers until nothing is there for now. False if this was destroyed or is closed.
  bool Receive(bool waits);
  bool Deliver();
  // After Close: for what is still going out. Whole messages are dropped.
  void ReadAnswers();
  bool AwaitsAnswers() const;
  // Tells the listener of messages that cannot be sent. False if this was destroyed.
  bool TellUnsent();
  void UpdateWatch(bool blocked);
  // Counts the frame that is under way, if one is. False: there is no room, and nothing more is
  // read.
  bool TakeRoom();
  bool Stall(Limit by);
  // Sees what to wait for, now or soon.
  void RenewWatch();
  // False if this user's messages hold too many OS handles, and this one's is not whole.
  bool MayHoldHandles();
  void EndBegun();
  void OnRoom() override;
  // For what was not read whole, if there is something.
  void TimeFrame();
  bool is_partial() const { return stalled_by_ || !stream_->at_boundary(); }
  void OnFrameDue();
  // So much waits for the peer that nothing more is taken from it. Only of a server's peers: were
  // it both sides, each could wait for the other.
  bool clogged() const;
  // Where to read to; empty: others come first, or the peer shall read first, or there is no room.
  std::span<std::byte> RoomToRead(bool again);
  // Tells the share what is queued.
  void Charge();
  void OnTimer();
  // Tells the listener, last.
  void Fail(Status reason);
  void FailLater(Status reason);
  void Finish();
  void WriteQueued();
  // Runs `function`; the connection ends if there is no memory for it.
  template <typename Function>
  void OrFail(Function function);

  Anchor<StreamTransport> anchor_{this};
  IoLoop& loop_;
  std::unique_ptr<FrameStream> stream_;
  // Still to be connected; null: it is.
  struct Connecting {
    std::string endpoint;
    std::chrono::milliseconds timeout;  // Limits::hello_timeout.
    TimePoint deadline = {};
    std::chrono::milliseconds delay{1};
  };
  std::unique_ptr<Connecting> connecting_;
  State state_ = State::kIdle;
  bool write_failed_ = false;
  bool failed_ = false;      // The listener was told.
  bool delivering_ = false;  // A frame is in the listener's hands.
  bool overflowed_ = false;  // More was to be queued than may be; nothing is any more.
  Listener* listener_ = nullptr;
  UniqueFunction<void()> done_;
  const std::chrono::milliseconds frame_timeout_;
  const std::chrono::milliseconds send_timeout_;
  const size_t max_queued_bytes_;
  const std::shared_ptr<UserShare> share_;
  Queued charged_;
  size_t begun_ = 0;                 // Of the frame under way, as the share has it.
  std::optional<Limit> stalled_by_;  // There is no room.
  // Bounds connecting, then each stretch of time in which the peer takes nothing.
  Timer timer_;
  // Bounds the time until the frame is whole that begins behind the first `after`. Then the timer
  // is left as it is, as to arm it for each large frame would cost more.
  struct Partial {
    Partial(IoLoop& loop, Executor::Task task) : timer(loop, std::move(task)) {}
    Timer timer;
    std::optional<uint64_t> after;
    TimePoint since;             // Or since when there is no room.
    TimePoint::duration used{};  // Of the frame's time, before that.
  };
  std::unique_ptr<Partial> partial_;  // Null before the first.
  std::unique_ptr<IoLoop::Watch> watch_;
};

// Connects to `endpoint`, of a kind other than DIRECT; one that is there but busy is waited for
// once the transport is started. Nothing is sent to a server that is not `wanted`. Error:
// kUnavailable or kNotFound if there is no server, kPermissionDenied.
Result<std::unique_ptr<Transport>> ConnectTransport(IoLoop& loop, const Endpoint& endpoint,
                                                    const WantedServer& wanted,
                                                    const Limits& limits);

// Over a connected socket or pipe: one end of a pair, or one accepted elsewhere. Error:
// kInvalidArgument if it is neither.
Result<std::unique_ptr<Transport>> AdoptTransport(IoLoop& loop, OsHandle native,
                                                  const Limits& limits);

}  // namespace lwmsg::internal
