#pragma once

#include <list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "lwmsg/call.h"
#include "lwmsg/call_watcher.h"
#include "lwmsg/channel.h"
#include "lwmsg/executor.h"
#include "lwmsg/internal/incoming_calls.h"
#include "lwmsg/internal/outgoing_calls.h"
#include "lwmsg/limits.h"
#include "lwmsg/log.h"
#include "lwmsg/service.h"
#include "lwmsg/session.h"
#include "lwmsg/state.h"
#include "lwmsg/transport.h"

namespace lwmsg {

namespace internal {
class BorrowedMemory;
class LentMemory;
class SessionHost;
}  // namespace internal

// Threads for handlers that block.
class Workers {
 public:
  // Runs `task`, for `caller`, on one of them, or destroys it there or here. Throws
  // std::system_error if there is none and none can be started.
  virtual void Run(const Token& caller, UniqueFunction<void()> task) = 0;
  // So many tasks wait that no call of `caller` should be added.
  virtual bool busy(const Token& caller) = 0;

 protected:
  ~Workers() = default;
};

// One typed conversation over one transport: greets, sends calls and matches their replies, takes
// the peer's calls to services, keeps deadlines and limits. Made by Server, Client and
// BlockingClient; users meet it as the Channel of a call. Lives on the executor's loop. Ends
// exactly once, by Close, by the peer, or by destruction, which is allowed at any time, also inside
// a callback of its own: each outstanding call of this side ends with a status, each call of the
// peer is cancelled.
class Association final : public internal::CallTarget, private Transport::Listener {
 public:
  static constexpr size_t kSessionKeyBytes = 16;

  // kGreeting until the peer's hello; kDraining takes no new calls; kClosed sends and takes
  // nothing.
  enum class State { kGreeting, kOpen, kDraining, kClosed };

  // What the associations of one server or client have in common.
  struct Environment {
    Limits limits = {};
    Log log = {};
    // Sees all calls; may be null.
    std::shared_ptr<CallWatcher> watcher = {};
    // Of the side that is connected to: where it gets its sessions; null: each its own. Outlives
    // the associations.
    internal::SessionHost* sessions = nullptr;
    // Where blocking handlers run; null: on the loop. Outlives the associations.
    Workers* workers = nullptr;
  };
  // What only the side that connects has. It speaks first.
  struct Connecting {
    // If given, the peer must be this user when it says hello.
    std::optional<uint32_t> peer_euid = {};
    // Makes the transport, if the constructor got none, when the association starts.
    UniqueFunction<std::unique_ptr<Transport>()> connect = {};
    // For hello; and who is told which session it is then.
    std::string session_key = {};
    UniqueFunction<void(uint64_t session_id)> on_session = {};
    // For a thread that has no loop running: lets the executor run once, and wait if that is said.
    UniqueFunction<void(bool may_wait)> run_once = {};
  };
  struct Config {
    std::shared_ptr<const Environment> environment = std::make_shared<const Environment>();
    // Null: this side is connected to.
    std::unique_ptr<Connecting> connecting = {};
    // Runs once, when the association is over and the transport is done, with the reason; it may
    // destroy this. Not run by the destructor.
    UniqueFunction<void(const Status&)> on_end = {};
  };

  // `executor` and `services` outlive this.
  // `transport` may be null if the configuration says how to connect.
  Association(Executor& executor, std::unique_ptr<Transport> transport,
              const ServiceTable& services, Config config);
  Association(const Association&) = delete;
  Association& operator=(const Association&) = delete;
  ~Association();

  // Begins; the first call does it too. Without memory for that it ends soon.
  void Start();
  PendingCall Start(OutgoingCall call, ReplyCallback done) override;
  Status Post(OutgoingCall call) override;
  bool can_wait() const override { return connecting_ && connecting_->run_once; }
  void WaitOnce() override;
  // Says goodbye with `reason` (OK: finished), ends all calls, hangs up. Does nothing when closed.
  void Close(Status reason);
  // Takes no more calls, closes when those in hand are answered in both directions.
  void Drain();

  State state() const { return state_; }
  // Nothing known before it is connected.
  const Token& peer() const;
  // The objects of this side that the peer has names for.
  const std::shared_ptr<Session>& session() override { return session_; }
  Channel channel();
  internal::Link<Association> link() const { return anchor_.link(); }
  internal::LoopRef<Association> ref() const {
    return internal::LoopRef<Association>(executor_, anchor_.link());
  }

  // For PendingCall and the names of the peer's objects.
  void Cancel(const internal::CallKey& key);
  void GiveCredit(const internal::CallKey& key, uint32_t items);
  void Release(uint64_t object, uint32_t copies);
  // For a place of the peer's pool that was let go of.
  void ReturnMemory(uint64_t pool, uint64_t offset);

  // No call in hand in either direction, no session objects, nothing queued: ending it now takes
  // nothing from the peer but the connection.
  bool idle() const;
  // When the last message came or was sent, to some milliseconds.
  TimePoint last_activity() const { return last_activity_; }
  AssociationState Describe() const;

  // For IncomingCall. Unknown calls are ignored: they may have been ended meanwhile.
  void Answer(const internal::CallKey& key, const Protocol& protocol, uint16_t method,
              OutgoingMessage reply);
  void AnswerError(const internal::CallKey& key, const Status& status);
  // A one-way call's handler is through with it.
  void OnOnewayDone() { --oneway_calls_; }
  // For a call that its handler let go of.
  void AnswerDropped(const internal::CallKey& key);
  // Of a call that its handler has not answered: also if it was ended here, as an item could not be
  // sent.
  bool IsCancelled(const internal::CallKey& key) const;
  void SetOnCancel(const internal::CallKey& key, UniqueFunction<void()> callback);
  std::stop_token StopTokenOf(const internal::CallKey& key);
  // Takes `item` if it is sent.
  Status SendItem(const internal::CallKey& key, const Protocol& protocol, uint16_t method,
                  OutgoingMessage& item);
  uint32_t Credit(const internal::CallKey& key) const;
  void SetOnCredit(const internal::CallKey& key, UniqueFunction<void()> callback);

 private:
  // What is known of the two sides' schemas.
  struct Schemas {
    struct Foreign {
      uint64_t interface_id;
      uint64_t hash;
      Status compatible;
    };

    std::vector<std::pair<uint64_t, uint64_t>> served;  // By the peer: interface id, schema hash.
    // Protocols that this side called, which the peer may ask about.
    std::vector<const Protocol*> called;
    size_t described = 0;  // How often it did.
    // Of the peer, and not those of this side; and what was found about each.
    std::vector<Foreign> foreign;
  };
  Schemas& MakeSchemas();

  // What the peer's hello said; our own limits until then.
  struct PeerLimits {
    uint32_t frame_bytes;
    uint32_t calls;
    uint16_t frame_handles;
  };

  const Limits& limits() const { return environment_->limits; }
  const Log& log() const { return environment_->log; }

  void OnFrame(Frame frame) override;
  void OnClosed(Status reason) override;
  void OnUnsent(OutgoingMessage message, const Status& reason) override;

  // `how`: OnMessage, or Handle.
  // From now on the peer may have OS handles to send.
  void TakeHandles(bool takes);
  // For a call that is to be sent.
  void TakeHandlesFor(const MethodInfo& method);

  void Deliver(IncomingMessage message, void (Association::*how)(IncomingMessage));
  void OnMessage(IncomingMessage message);
  // What is not held, or not any more.
  void Handle(IncomingMessage message);
  void OnHello(IncomingMessage message);
  void OnSessionOpen(const Status& status);
  void OnCall(IncomingMessage message);
  // Answers a call that is not carried out.
  void Refuse(IncomingMessage& message, const Protocol* protocol, const Status& reason);
  void OnReply(IncomingMessage message);
  // What a reply that came says of its call.
  Status Outcome(IncomingMessage& message, const internal::OutgoingCalls::Call& call);
  void OnItem(IncomingMessage message);
  void OnCancel(IncomingMessage message);
  void OnCredit(IncomingMessage message);
  void OnRelease(IncomingMessage message);
  void OnReturned(IncomingMessage message);
  void OnDescribe(IncomingMessage message);
  void OnDescription(IncomingMessage message);
  void OnGoodbye(IncomingMessage message);
  void ArmHelloTimer();
  void OnDeadline();
  // What comes while the session is not open yet, or while the schema of a call is asked for,
  // waits, in order. While it is then handed out, a handler may wait, as on a BlockingClient: what
  // is still held is handed out inside that wait, before anything that is new, which is a frame or
  // the loss of the connection. So nothing overtakes, and what a handler waits for is never held
  // up by the handler. Only the question for a schema is answered at once, as ever.
  struct Held {
    std::list<IncomingMessage> messages;
    size_t bytes = 0;
    size_t handles = 0;
    std::optional<Status> lost;  // The connection, meanwhile.
    // The schema that the peer was asked for; null: it is the session that is waited for.
    const Protocol* asked = nullptr;
    uint64_t asked_hash = 0;
  };
  Held& MakeHeld();
  void Hold(IncomingMessage message);
  void Resume();
  // Inside Resume.
  bool resuming() const { return held_ && !holding_; }

  // What a call is for: a service, or an object of the session, which is then kept alive.
  struct Callee {
    const Protocol* protocol;
    Service* service;
    std::shared_ptr<Service> object;
  };
  Result<Callee> FindCallee(uint64_t interface_id, uint64_t object) const;
  // Whether the caller of `protocol` by a schema with this hash can be understood; empty if that is
  // not known.
  std::optional<Status> Understands(const Protocol& protocol, uint64_t hash) const;
  void AskForSchema(const Protocol& protocol, uint64_t hash, IncomingMessage call);
  // What is wrong with a call before its handler is asked; OK if nothing is.
  Status Admit(const Protocol& protocol, uint16_t method, IncomingMessage& message);
  void Dispatch(const Callee& callee, IncomingCall call);
  // `run` is what handles it.
  void DispatchToWorkers(UniqueFunction<void(IncomingCall)> run, IncomingCall call);
  // Checks a payload; the names in it are then taken or let go of by whoever reads it.
  Status CheckPayload(IncomingMessage& message, const internal::PayloadType& type);
  // Finds the shared memory that a message brings.
  Status BorrowMemory(IncomingMessage& message);
  // Of a reply or an item that nobody waits for.
  void LetGo(IncomingMessage& message, const MethodInfo& method);
  // Says in the message where the shared memory is that it was given.
  Status PlaceMemory(OutgoingMessage& message) const;
  void LendMemory(OutgoingMessage& message);
  void TakeBackMemory(OutgoingMessage& message);
  // What is wrong with a message of `method` before it is sent; OK if nothing is.
  Status CheckOutgoing(const Protocol& protocol, const MethodInfo& method,
                       OutgoingMessage& message) const;
  Status CheckCall(OutgoingCall& call) const;
  // Zero: none.
  std::chrono::microseconds TimeoutOf(const OutgoingCall& call) const;
  // Of a call that has just arrived; of one that is sent now. Empty: none.
  std::optional<TimePoint> DeadlineOnArrival(std::chrono::microseconds timeout) const;
  std::optional<TimePoint> DeadlineAfter(std::chrono::microseconds timeout) const;
  void SendError(uint32_t id, const Status& status);
  void SendHello();
  void SendGoodbye(const Status& reason);
  // Without memory for it, or for something else that must be sent, the association ends soon.
  void Send(OutgoingMessage message);
  void EndForLackOfMemory();
  void SendCancel(uint32_t id);
  // Tells `done` later, and at the latest when this goes.
  void FailLater(ReplyCallback done, Status reason);
  void TellFailed();
  // What is to be done last.
  UniqueFunction<void()> LeaveSession();
  void JoinSession(capnp::Data::Reader key);
  void Arm(TimePoint deadline);
  void CloseIfDrained();
  // The one way into kClosed. Runs user code last.
  void End(Status reason, bool say_goodbye);
  void LogEnd(const Status& reason) const;
  // What Start does.
  void Begin();
  // Takes `done` once all is there that the call needs.
  PendingCall Begin(OutgoingCall& call, ReplyCallback& done);
  // Null if nobody watches calls.
  std::unique_ptr<internal::CallReport> Report(CallDirection direction, const Protocol* protocol,
                                               uint64_t interface_id, uint16_t method,
                                               uint32_t id) const;
  std::unique_ptr<internal::CallReport> ReportOutgoing(const Protocol& protocol,
                                                       const MethodInfo& method, uint32_t id) const;
  // The end of a call of the peer, which is still in the table.
  static void ReportAnswer(internal::IncomingCalls::Call& call, const Status& status);
  std::string SchemaNote(const Protocol& protocol) const;
  void RememberCalled(const Protocol& protocol);

  internal::Anchor<Association> anchor_{this};
  std::unique_ptr<internal::Anchor<internal::CallTarget>> target_anchor_;  // Null until asked for.
  Executor& executor_;
  const ServiceTable& services_;
  const std::shared_ptr<const Environment> environment_;
  const std::unique_ptr<Connecting> connecting_;
  UniqueFunction<void(const Status&)> on_end_;
  bool started_ = false;
  State state_ = State::kGreeting;
  bool greeted_ = false;
  std::unique_ptr<const Status> end_reason_;  // Once it is closed.
  PeerLimits peer_limits_;
  std::unique_ptr<Schemas> schemas_;  // Null until there are some.
  std::shared_ptr<Session> session_;
  bool in_hosted_session_ = false;
  bool holding_ = false;
  std::unique_ptr<Held> held_;                            // Null until there is something.
  std::vector<std::pair<ReplyCallback, Status>> failed_;  // Not told yet.
  bool gone_ = false;                                     // Being destroyed.
  internal::OutgoingCalls outgoing_;
  internal::IncomingCalls incoming_;
  // Both null until there is some.
  std::unique_ptr<internal::LentMemory> lent_;
  std::unique_ptr<internal::BorrowedMemory> borrowed_;
  uint32_t oneway_calls_ = 0;  // In their handlers' hands.
  uint32_t bad_calls_ = 0;     // In a row.
  bool overflowed_ = false;    // Nothing goes out or comes in any more: it is about to end.
  bool takes_handles_ = false;
  TimePoint made_;
  TimePoint last_activity_;
  std::unique_ptr<Timer> hello_timer_;  // While something of that kind is waited for.
  Timer deadline_timer_;
  std::unique_ptr<Transport> transport_;  // Last: gone first, so it calls nothing that is gone.
};

}  // namespace lwmsg
