#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lwmsg/call.h"
#include "lwmsg/channel.h"
#include "lwmsg/executor.h"
#include "lwmsg/internal/incoming_calls.h"
#include "lwmsg/internal/outgoing_calls.h"
#include "lwmsg/limits.h"
#include "lwmsg/service.h"
#include "lwmsg/session.h"
#include "lwmsg/transport.h"

namespace lwmsg {

// One typed conversation over one transport: greets, sends calls and matches their replies, takes
// the peer's calls to services, keeps deadlines and limits. Made by Server, Client and
// BlockingClient; users meet it as the Channel of a call. Lives on the executor's loop. Ends
// exactly once, by Close, by the peer, or by destruction, which is allowed at any time, also inside
// a callback of its own: each outstanding call of this side ends with a status, each call of the
// peer is cancelled.
class Association final : private Transport::Listener, private internal::CallTarget {
 public:
  // The side that connected speaks first.
  enum class Role { kConnector, kAcceptor };
  // kGreeting until the peer's hello; kDraining takes no new calls; kClosed sends and takes
  // nothing.
  enum class State { kGreeting, kOpen, kDraining, kClosed };

  struct Config {
    Role role = Role::kConnector;
    Limits limits = {};
    // If given, the peer must be this user when it says hello.
    std::optional<uint32_t> peer_euid = {};
    // Runs once, when the association is over and the transport is done, with the reason; it may
    // destroy this. Not run by the destructor.
    UniqueFunction<void(const Status&)> on_end = {};
    // For a thread that has no loop running: lets the executor run once, and wait if that is said.
    UniqueFunction<void(bool may_wait)> run_once = {};
  };

  // `executor` and `services` outlive this.
  Association(Executor& executor, std::unique_ptr<Transport> transport,
              const ServiceTable& services, Config config);
  Association(const Association&) = delete;
  Association& operator=(const Association&) = delete;
  ~Association();

  // Begins; the first call does it too.
  void Start();
  // Says goodbye with `reason` (OK: finished), ends all calls, hangs up. Does nothing when closed.
  void Close(Status reason);
  // Takes no more calls, closes when those in hand are answered in both directions.
  void Drain();

  State state() const { return state_; }
  const Token& peer() const { return transport_->peer(); }
  Session& session() { return session_; }
  Channel channel() { return Channel(target_anchor_.link()); }
  internal::Link<Association> link() const { return anchor_.link(); }

  // For IncomingCall. Unknown ids are ignored: the association may have closed meanwhile.
  void Answer(uint32_t id, const Protocol& protocol, uint16_t method, OutgoingMessage reply);
  void AnswerError(uint32_t id, const Status& status);
  bool IsCancelled(uint32_t id) const;
  void SetOnCancel(uint32_t id, UniqueFunction<void()> callback);
  // True while the handler of call `id` is left by an exception, which then becomes the answer.
  bool HandlerIsThrowing(uint32_t id) const;

 private:
  // What the peer's hello said; our own limits until then.
  struct PeerLimits {
    size_t frame_bytes;
    size_t frame_handles;
    uint32_t calls;
  };

  void OnFrame(Frame frame) override;
  void OnClosed(Status reason) override;
  uint32_t Start(OutgoingCall call, ReplyCallback done) override;
  Status Post(OutgoingCall call) override;
  Result<IncomingMessage> Wait(OutgoingCall call) override;
  void Cancel(uint32_t id) override;

  void OnMessage(IncomingMessage message);
  void OnHello(IncomingMessage message);
  void OnCall(IncomingMessage message);
  void OnReply(IncomingMessage message);
  void OnCancel(IncomingMessage message);
  void OnGoodbye(IncomingMessage message);
  void OnDeadline();

  // What is wrong with a call before its handler is asked; OK if nothing is.
  Status Admit(const ServiceTable::Entry* entry, uint64_t interface_id, uint16_t method,
               IncomingMessage& message) const;
  void Dispatch(const ServiceTable::Entry& entry, IncomingCall call, uint32_t id);
  // What is wrong with a message of `method` before it is sent; OK if nothing is.
  Status CheckOutgoing(const Protocol& protocol, const MethodInfo& method,
                       OutgoingMessage& message) const;
  Status CheckCall(OutgoingCall& call) const;
  void SendError(uint32_t id, const Status& status);
  void SendHello();
  void SendGoodbye(const Status& reason);
  void Send(OutgoingMessage message);
  void SendCancel(uint32_t id);
  void Arm(TimePoint deadline);
  void CloseIfDrained();
  // The one way into kClosed. Runs user code last.
  void End(Status reason, bool say_goodbye);
  std::string SchemaNote(const Protocol& protocol) const;

  internal::Anchor<Association> anchor_{this};
  internal::Anchor<internal::CallTarget> target_anchor_{this};
  Executor& executor_;
  const ServiceTable& services_;
  Config config_;
  bool started_ = false;
  State state_ = State::kGreeting;
  bool greeted_ = false;
  Status end_reason_;
  PeerLimits peer_limits_;
  std::vector<std::pair<uint64_t, uint64_t>> peer_schemas_;  // Interface id, schema hash.
  Session session_;
  internal::OutgoingCalls outgoing_;
  internal::IncomingCalls incoming_;
  uint32_t dispatching_ = 0;
  int exceptions_before_dispatch_ = 0;
  bool overflowed_ = false;
  Timer hello_timer_;
  Timer deadline_timer_;
  std::unique_ptr<Transport> transport_;  // Last: gone first, so it calls nothing that is gone.
};

}  // namespace lwmsg
