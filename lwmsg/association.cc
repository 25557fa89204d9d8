#include "lwmsg/association.h"

#include <kj/exception.h>

#include <algorithm>
#include <utility>

#include "lwmsg/internal/capnp_text.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/session_host.h"
#include "lwmsg/internal/shared_places.h"
#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/limit_hits.h"

namespace lwmsg {
namespace {

constexpr size_t kMostServedKnown = 64;
// Of a peer's text in one of this side, which may go to a log.
constexpr size_t kLongestPeerText = 1024;

std::string Shortened(std::string text) {
  if (text.size() <= kLongestPeerText) return text;
  return text.substr(0, kLongestPeerText) + "... (" + std::to_string(text.size()) + " bytes)";
}

bool IsOneWayCall(IncomingMessage& message) {
  const auto& envelope = *message.state().envelope;
  return envelope.isCall() && envelope.getCall().getId() == 0;
}

// Why its connection ended: not if it has gone.
bool CanBeTold(const Status& reason) { return reason.code() != StatusCode::kUnavailable; }

}  // namespace

Association::Association(Executor& executor, std::unique_ptr<Transport> transport,
                         const ServiceTable& services, Config config)
    : executor_(executor),
      services_(services),
      environment_(std::move(config.environment)),
      connecting_(std::move(config.connecting)),
      on_end_(std::move(config.on_end)),
      peer_limits_{limits().max_frame_bytes, limits().max_calls,
                   std::min(limits().max_frame_handles, kMaxFrameHandles)},
      session_(std::make_shared<Session>(limits().max_objects)),
      made_(executor.Now()),
      last_activity_(made_),
      deadline_timer_(executor, [this] { OnDeadline(); }),
      transport_(std::move(transport)) {}

Association::~Association() {
  if (state_ != State::kClosed) {
    on_end_ = {};
    End(Status(), true);
  }
  gone_ = true;
  TellFailed();
}

void Association::Start() {
  if (state_ == State::kClosed || std::exchange(started_, true)) return;
  if (!internal::IfMemory([this] { Begin(); })) EndForLackOfMemory();
}

void Association::Begin() {
  // A client's calls have deadlines of their own; a server may be slow to greet.
  if (!connecting_) ArmHelloTimer();
  if (!transport_) transport_ = connecting_->connect();
  TakeHandles(services_.takes_handles());
  transport_->Start(*this);
  if (connecting_) SendHello();
}

void Association::TakeHandles(bool takes) {
  takes_handles_ = takes;
  transport_->TakeHandles(takes);
}

void Association::ArmHelloTimer() {
  hello_timer_ = std::make_unique<Timer>(executor_, [this] {
    const Protocol* asked = held_ ? held_->asked : nullptr;
    Status reason = internal::StatusIfMemory([&] {
      return Status(StatusCode::kDeadlineExceeded,
                    std::string("peer did not ") +
                        (asked ? "describe its schema of " : "say hello") +
                        (asked ? asked->name : "") + " within " +
                        std::to_string(limits().hello_timeout.count()) + " ms, " +
                        internal::HitLimit(internal::Limit::kHelloTimeout));
    });
    End(std::move(reason), true);
  });
  hello_timer_->ArmAfter(limits().hello_timeout);
}

const Token& Association::peer() const {
  static const Token nobody;
  return transport_ ? transport_->peer() : nobody;
}

Channel Association::channel() {
  if (!target_anchor_) {
    target_anchor_ = std::make_unique<internal::Anchor<internal::CallTarget>>(this);
  }
  return Channel(internal::LoopRef<internal::CallTarget>(executor_, target_anchor_->link()));
}

void Association::Close(Status reason) { End(std::move(reason), true); }

void Association::Drain() {
  if (state_ == State::kClosed) return;
  state_ = State::kDraining;
  CloseIfDrained();
}

void Association::CloseIfDrained() {
  if (state_ != State::kDraining || outgoing_.size() != 0 || incoming_.size() != 0) return;
  End(Status(), true);
}

void Association::End(Status reason, bool say_goodbye) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  using internal::CopyIfMemory;
  using internal::IfMemory;
  using internal::TextIfMemory;
  end_reason_ = internal::Insist([&] {
    return std::make_unique<const Status>(
        reason.ok() ? Status(StatusCode::kUnavailable, TextIfMemory("it was closed"))
                    : CopyIfMemory(reason));
  });
  LogEnd(reason);
  hello_timer_.reset();
  deadline_timer_.Disarm();
  if (say_goodbye && transport_) IfMemory([&] { SendGoodbye(reason); });
  auto ended = internal::SureTask([link = anchor_.link(), reason = CopyIfMemory(reason)] {
    Association* self = link.get();
    if (self == nullptr || !self->on_end_) return;
    auto on_end = std::exchange(self->on_end_, {});
    on_end(reason);
  });
  if (transport_) {
    transport_->Close(std::move(ended));
  } else {
    executor_.Post(std::move(ended));
  }
  held_.reset();
  lent_.reset();
  // User code from here on: it may destroy this.
  incoming_.ForEach([&](const internal::IncomingCalls::Call& call) {
    if (call.report) IfMemory([&] { call.report->End(*end_reason_); });
  });
  auto calls = outgoing_.RemoveAll();
  auto cancelled = incoming_.RemoveAll();
  auto leave = LeaveSession();
  const Status lost =
      reason.ok() ? Status(StatusCode::kUnavailable, TextIfMemory("the association was closed"))
                  : std::move(reason);
  for (auto& call : calls) {
    if (call.done) IfMemory([&] { call.done(Error(CopyIfMemory(lost))); });
  }
  for (auto& waiters : cancelled) IfMemory([&] { waiters.Tell(); });
  IfMemory(leave);
}

UniqueFunction<void()> Association::LeaveSession() {
  if (!in_hosted_session_) return internal::SureTask([session = session_] { session->End(); });
  return internal::SureTask([sessions = environment_->sessions->link(), id = session_->id()] {
    // What ran before may have destroyed the server.
    if (internal::SessionHost* host = sessions.get()) host->Leave(id);
  });
}

void Association::SendGoodbye(const Status& reason) {
  OutgoingMessage message;
  auto goodbye = message.state().envelope.initGoodbye();
  goodbye.setStatus(static_cast<uint16_t>(reason.code()));
  goodbye.setMessage(reason.message());
  transport_->Send(std::move(message));
}

void Association::SendHello() try {
  OutgoingMessage message;
  auto hello = message.state().envelope.initHello();
  hello.setMaxFrameBytes(limits().max_frame_bytes);
  hello.setMaxFrameHandles(limits().max_frame_handles);
  hello.setMaxCalls(limits().max_calls);
  if (!connecting_) {
    hello.setSessionId(session_->id());
  } else if (const std::string& key = connecting_->session_key; !key.empty()) {
    hello.setSessionKey({reinterpret_cast<const kj::byte*>(key.data()), key.size()});
  }
  auto protocols = hello.initProtocols(static_cast<uint32_t>(services_.entries().size()));
  uint32_t i = 0;
  for (const auto& entry : services_.entries()) {
    auto protocol = protocols[i++];
    protocol.setInterfaceId(entry.protocol->id);
    protocol.setVersion(entry.protocol->version);
    protocol.setSchemaHash(entry.protocol->schema_hash);
  }
  Send(std::move(message));
} catch (const std::bad_alloc&) {
  EndForLackOfMemory();
}

// --- From the transport.

void Association::OnClosed(Status reason) {
  if (reason.ok()) {
    reason =
        Status(StatusCode::kUnavailable, internal::TextIfMemory("the peer closed the connection"));
  }
  const bool waits = holding_ && held_ && held_->asked == nullptr;
  if (waits && std::any_of(held_->messages.begin(), held_->messages.end(), IsOneWayCall)) {
    // What came before still counts.
    held_->lost = std::move(reason);
    return;
  }
  if (resuming()) {
    const auto link = anchor_.link();
    internal::IfMemory([this] { Resume(); });
    if (link.get() == nullptr) return;
  }
  // Also if that asked for a schema: a handler further out may wait.
  const bool say_goodbye = CanBeTold(reason);
  End(std::move(reason), say_goodbye);
}

void Association::OnFrame(Frame frame) {
  if (state_ == State::kClosed || overflowed_) return;
  last_activity_ = executor_.TurnTime();
  if (!takes_handles_ && !frame.handles.empty()) {
    return End(Status(StatusCode::kPermissionDenied,
                      "the peer sent " + std::to_string(frame.handles.size()) +
                          " OS handles, but no interface that it is offered has any"),
               true);
  }
  auto message = IncomingMessage::Parse(std::move(frame), limits());
  if (!message) return End(std::move(message).error(), true);
  Deliver(std::move(*message), &Association::OnMessage);
}

void Association::Deliver(IncomingMessage message, void (Association::*how)(IncomingMessage)) {
  try {
    (this->*how)(std::move(message));
  } catch (const kj::Exception& error) {
    // Of hello, goodbye and description; all else is checked before it is read.
    End(Status(StatusCode::kMalformed, "envelope cannot be read: " + internal::CapnpText(error)),
        true);
  }
}

void Association::OnMessage(IncomingMessage message) {
  using Which = wire::Envelope::Which;
  const auto which = message.state().envelope->which();
  // This side's hello is its first frame: until it is out, questions wait like everything else.
  const bool opening = holding_ && (!held_ || held_->asked == nullptr);
  if (greeted_ && !opening && which == Which::DESCRIBE) return OnDescribe(std::move(message));
  if (greeted_ && which == Which::DESCRIPTION) return OnDescription(std::move(message));
  if (resuming()) {
    const auto link = anchor_.link();
    Resume();
    if (link.get() == nullptr || state_ == State::kClosed) return;
  }
  if (holding_) return Hold(std::move(message));
  Handle(std::move(message));
}

void Association::Handle(IncomingMessage message) {
  using Which = wire::Envelope::Which;
  const auto which = message.state().envelope->which();
  if (which == Which::GOODBYE) return OnGoodbye(std::move(message));
  if ((which == Which::HELLO) == greeted_) {
    return End(Status(StatusCode::kMalformed,
                      greeted_ ? "a second hello" : "the first frame is not a hello"),
               true);
  }
  switch (which) {
    case Which::HELLO:
      return OnHello(std::move(message));
    case Which::CALL:
      return OnCall(std::move(message));
    case Which::REPLY:
      return OnReply(std::move(message));
    case Which::ITEM:
      return OnItem(std::move(message));
    case Which::CANCEL:
      return OnCancel(std::move(message));
    case Which::CREDIT:
      return OnCredit(std::move(message));
    case Which::RELEASE:
      return OnRelease(std::move(message));
    case Which::RETURNED:
      return OnReturned(std::move(message));
    case Which::DESCRIBE:
      return OnDescribe(std::move(message));
    default:
      return End(Status(StatusCode::kMalformed, "envelope of unknown kind " +
                                                    std::to_string(static_cast<int>(which)) +
                                                    "; no feature for it was agreed in hello"),
                 true);
  }
}

Association::Held& Association::MakeHeld() {
  if (!held_) held_ = std::make_unique<Held>();
  return *held_;
}

void Association::Hold(IncomingMessage message) {
  Held& held = MakeHeld();
  held.bytes += message.state().words.size() * sizeof(capnp::word);
  held.handles += message.handles().size();
  held.messages.push_back(std::move(message));
  const bool many = held.messages.size() > size_t{2} * limits().max_calls;
  const size_t most_handles =
      std::max<size_t>(limits().max_queued_handles, limits().max_frame_handles);
  if (held.handles > most_handles) {
    return End(Status(StatusCode::kResourceExhausted,
                      std::to_string(held.handles) + " OS handles came before " +
                          (held.asked ? "the schema that was asked for" : "the session was open") +
                          ", " + internal::HitLimit(internal::Limit::kMaxQueuedHandles)),
               true);
  }
  if (Status room = held.messages.back().state().CheckHeldHandles(); !room.ok()) {
    return End(std::move(room), true);
  }
  if (!many && held.bytes <= limits().max_queued_bytes) return;
  End(Status(StatusCode::kResourceExhausted,
             std::to_string(held.messages.size()) + " messages of " + std::to_string(held.bytes) +
                 " bytes came before " +
                 (held.asked ? "the schema that was asked for" : "the session was open") + ", " +
                 internal::HitLimit(internal::Limit::kMaxCalls) + " (twice) and " +
                 internal::HitLimit(internal::Limit::kMaxQueuedBytes)),
      true);
}

void Association::WaitOnce() {
  if (resuming()) return Resume();
  connecting_->run_once(true);
}

void Association::Resume() {
  holding_ = false;
  const auto link = anchor_.link();
  while (link.get() != nullptr && !holding_ && held_ && !held_->messages.empty()) {
    IncomingMessage message = std::move(held_->messages.front());
    held_->messages.pop_front();
    held_->bytes -= message.state().words.size() * sizeof(capnp::word);
    held_->handles -= message.handles().size();
    const bool delivered =
        internal::IfMemory([&] { Deliver(std::move(message), &Association::Handle); });
    if (!delivered && link.get() != nullptr) return End(internal::OutOfMemory(), true);
  }
  if (link.get() == nullptr || holding_ || !held_) return;
  const auto lost = std::move(held_->lost);
  held_.reset();
  if (lost) End(*lost, CanBeTold(*lost));
}

void Association::OnHello(IncomingMessage message) {
  auto hello = message.state().checked.getRoot<wire::Envelope>().getHello();
  peer_limits_ = {hello.getMaxFrameBytes(),
                  std::min(hello.getMaxCalls(), internal::OutgoingCalls::kMost),
                  std::min(hello.getMaxFrameHandles(), kMaxFrameHandles)};
  for (auto protocol : hello.getProtocols()) {
    // They only explain errors, and cost memory for as long as the peer likes.
    if (schemas_ && schemas_->served.size() == kMostServedKnown) break;
    MakeSchemas().served.emplace_back(protocol.getInterfaceId(), protocol.getSchemaHash());
  }
  greeted_ = true;
  Connecting* const connecting = connecting_.get();
  if (connecting && connecting->peer_euid && peer().euid() != connecting->peer_euid) {
    return End(Status(StatusCode::kPermissionDenied, "the peer is " + peer().ToString() +
                                                         ", not the wanted user " +
                                                         std::to_string(*connecting->peer_euid)),
               true);
  }
  hello_timer_.reset();
  log().Write(LogLevel::kInfo, [this] { return "peer connected: " + peer().ToString(); });
  if (connecting) {
    if (state_ == State::kGreeting) state_ = State::kOpen;
    if (connecting->on_session) connecting->on_session(hello.getSessionId());
    return;
  }
  JoinSession(hello.getSessionKey());
}

void Association::JoinSession(capnp::Data::Reader key) {
  if (key.size() != 0 && key.size() != kSessionKeyBytes) {
    return End(
        Status(StatusCode::kMalformed, "hello with a session key of " + std::to_string(key.size()) +
                                           " bytes, not " + std::to_string(kSessionKeyBytes)),
        true);
  }
  internal::SessionHost* const sessions = environment_->sessions;
  // A session that nobody is asked about, and that no other association can join, is its own.
  if (sessions == nullptr || (key.size() == 0 && !sessions->asks())) {
    return OnSessionOpen(Status());
  }
  holding_ = true;
  const auto link = anchor_.link();
  std::optional<Status> answer;  // Of a session that opens at once.
  auto session = sessions->Join(std::string(key.asChars().begin(), key.size()), peer(),
                                [link, &answer](Status status) {
                                  Association* self = link.get();
                                  if (self == nullptr) return;
                                  if (!self->in_hosted_session_) {
                                    answer = std::move(status);
                                  } else {
                                    self->OnSessionOpen(status);
                                  }
                                });
  if (link.get() == nullptr) return;
  if (!session) return End(std::move(session).error(), true);
  session_ = std::move(*session);
  in_hosted_session_ = true;
  // The session's constructor may have stopped the server.
  if (state_ == State::kClosed) return LeaveSession()();
  if (answer) OnSessionOpen(*answer);
}

void Association::OnSessionOpen(const Status& status) {
  if (state_ == State::kClosed) return;
  if (!status.ok()) return End(status, true);
  if (state_ == State::kGreeting) state_ = State::kOpen;
  SendHello();
  Resume();
}

void Association::OnGoodbye(IncomingMessage message) {
  auto goodbye = message.state().checked.getRoot<wire::Envelope>().getGoodbye();
  const StatusCode code = StatusCodeFromWire(goodbye.getStatus());
  if (code == StatusCode::kOk) {
    return End(Status(StatusCode::kUnavailable, "the peer closed the association"), false);
  }
  End(Status(code, "the peer ended the association: " + Shortened(goodbye.getMessage().cStr())),
      false);
}

}  // namespace lwmsg
