#include "lwmsg/association.h"

#include <kj/exception.h>

#include <algorithm>
#include <utility>

#include "lwmsg/internal/capnp_text.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/session_host.h"
#include "lwmsg/internal/shared_places.h"

namespace lwmsg {
namespace {

bool IsOneWayCall(IncomingMessage& message) {
  const auto& envelope = *message.state().envelope;
  return envelope.isCall() && envelope.getCall().getId() == 0;
}

}  // namespace

Association::Association(Executor& executor, std::unique_ptr<Transport> transport,
                         const ServiceTable& services, Config config)
    : executor_(executor),
      services_(services),
      config_(std::move(config)),
      peer_limits_{config_.limits.max_frame_bytes,
                   std::min(config_.limits.max_frame_handles, kMaxFrameHandles),
                   config_.limits.max_calls},
      channel_(internal::LoopRef<internal::CallTarget>(executor_, target_anchor_.link())),
      session_(std::make_shared<Session>(config_.limits.max_objects)),
      made_(executor.Now()),
      last_activity_(made_),
      hello_timer_(executor,
                   [this] {
                     End(Status(StatusCode::kDeadlineExceeded,
                                std::string("peer did not ") +
                                    (asked_ ? "describe its schema of " : "say hello") +
                                    (asked_ ? asked_->name : "") + " within " +
                                    std::to_string(config_.limits.hello_timeout.count()) +
                                    " ms, Limits::hello_timeout"),
                         true);
                   }),
      deadline_timer_(executor, [this] { OnDeadline(); }),
      transport_(std::move(transport)) {}

Association::~Association() {
  if (state_ != State::kClosed) {
    config_.on_end = {};
    End(Status(), true);
  }
  gone_ = true;
  TellFailed();
}

void Association::Start() {
  if (state_ == State::kClosed || std::exchange(started_, true)) return;
  // A client's calls have deadlines of their own; a server may be slow to greet.
  if (config_.role == Role::kAcceptor) hello_timer_.ArmAfter(config_.limits.hello_timeout);
  if (!transport_) transport_ = config_.connect();
  transport_->Start(*this);
  if (config_.role == Role::kConnector) SendHello();
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
  end_reason_ = reason.ok() ? Status(StatusCode::kUnavailable, "it was closed") : reason;
  LogEnd(reason);
  hello_timer_.Disarm();
  deadline_timer_.Disarm();
  if (say_goodbye && transport_) SendGoodbye(reason);
  auto ended = [link = anchor_.link(), reason] {
    Association* self = link.get();
    if (self == nullptr || !self->config_.on_end) return;
    auto on_end = std::exchange(self->config_.on_end, {});
    on_end(reason);
  };
  if (transport_) {
    transport_->Close(std::move(ended));
  } else {
    executor_.Post(std::move(ended));
  }
  held_.clear();
  lent_.reset();
  // User code from here on: it may destroy this.
  incoming_.ForEach([&](const internal::IncomingCalls::Call& call) {
    if (call.report) call.report->End(end_reason_);
  });
  auto calls = outgoing_.RemoveAll();
  auto cancelled = incoming_.RemoveAll();
  auto leave = LeaveSession();
  const Status lost = reason.ok() ? Status(StatusCode::kUnavailable, "the association was closed")
                                  : std::move(reason);
  for (auto& call : calls) {
    if (call.done) call.done(Error(lost));
  }
  for (auto& waiters : cancelled) waiters.Tell();
  leave();
}

UniqueFunction<void()> Association::LeaveSession() {
  if (!in_hosted_session_) return [session = session_] { session->End(); };
  return [sessions = config_.sessions->link(), id = session_->id()] {
    // What ran before may have destroyed the server.
    if (internal::SessionHost* host = sessions.get()) host->Leave(id);
  };
}

void Association::SendGoodbye(const Status& reason) {
  OutgoingMessage message;
  auto goodbye = message.state().envelope.initGoodbye();
  goodbye.setStatus(static_cast<uint16_t>(reason.code()));
  goodbye.setMessage(reason.message());
  transport_->Send(std::move(message));
}

void Association::SendHello() {
  OutgoingMessage message;
  auto hello = message.state().envelope.initHello();
  hello.setMaxFrameBytes(config_.limits.max_frame_bytes);
  hello.setMaxFrameHandles(config_.limits.max_frame_handles);
  hello.setMaxCalls(config_.limits.max_calls);
  if (config_.role == Role::kAcceptor) hello.setSessionId(session_->id());
  const std::string& key = config_.session_key;
  if (!key.empty()) {
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
  transport_->Send(std::move(message));
}

// --- From the transport.

void Association::OnClosed(Status reason) {
  // After broken framing the peer can still be told why; after a lost connection nobody is there.
  const bool say_goodbye = reason.code() == StatusCode::kMalformed;
  if (reason.ok()) reason = Status(StatusCode::kUnavailable, "the peer closed the connection");
  if (holding_ && asked_ == nullptr && std::any_of(held_.begin(), held_.end(), IsOneWayCall)) {
    // What came before still counts.
    lost_ = std::move(reason);
    return;
  }
  End(std::move(reason), say_goodbye);
}

void Association::OnFrame(Frame frame) {
  if (state_ == State::kClosed || overflowed_) return;
  last_activity_ = executor_.TurnTime();
  auto message = IncomingMessage::Parse(std::move(frame), config_.limits);
  if (!message) return End(std::move(message).error(), true);
  Deliver(std::move(*message));
}

void Association::Deliver(IncomingMessage message) {
  try {
    OnMessage(std::move(message));
  } catch (const kj::Exception& error) {
    // Of hello, goodbye and description; all else is checked before it is read.
    End(Status(StatusCode::kMalformed, "envelope cannot be read: " + internal::CapnpText(error)),
        true);
  }
}

void Association::OnMessage(IncomingMessage message) {
  using Which = wire::Envelope::Which;
  const auto which = message.state().envelope->which();
  if (greeted_ && which == Which::DESCRIBE) return OnDescribe(std::move(message));
  if (greeted_ && which == Which::DESCRIPTION) return OnDescription(std::move(message));
  if (holding_) return Hold(std::move(message));
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
    default:
      return End(Status(StatusCode::kMalformed, "envelope of unknown kind " +
                                                    std::to_string(static_cast<int>(which)) +
                                                    "; no feature for it was agreed in hello"),
                 true);
  }
}

void Association::Hold(IncomingMessage message) {
  held_bytes_ += message.state().words.size() * sizeof(capnp::word);
  held_.push_back(std::move(message));
  const bool many = held_.size() > size_t{2} * config_.limits.max_calls;
  if (!many && held_bytes_ <= config_.limits.max_queued_bytes) return;
  End(Status(StatusCode::kResourceExhausted,
             std::to_string(held_.size()) + " messages of " + std::to_string(held_bytes_) +
                 " bytes came before " +
                 (asked_ ? "the schema that was asked for" : "the session was open") +
                 ", Limits::max_calls (twice) and Limits::max_queued_bytes"),
      true);
}

void Association::Resume() {
  holding_ = false;
  const auto link = anchor_.link();
  while (link.get() != nullptr && !holding_ && !held_.empty()) {
    IncomingMessage message = std::move(held_.front());
    held_.pop_front();
    held_bytes_ -= message.state().words.size() * sizeof(capnp::word);
    Deliver(std::move(message));
  }
  if (link.get() != nullptr && !holding_ && lost_) End(*lost_, false);
}

void Association::OnHello(IncomingMessage message) {
  auto hello = message.state().checked.getRoot<wire::Envelope>().getHello();
  peer_limits_ = {hello.getMaxFrameBytes(), std::min(hello.getMaxFrameHandles(), kMaxFrameHandles),
                  hello.getMaxCalls()};
  for (auto protocol : hello.getProtocols()) {
    peer_schemas_.emplace_back(protocol.getInterfaceId(), protocol.getSchemaHash());
  }
  greeted_ = true;
  if (config_.peer_euid && peer().euid() != config_.peer_euid) {
    return End(Status(StatusCode::kPermissionDenied, "the peer is " + peer().ToString() +
                                                         ", not the wanted user " +
                                                         std::to_string(*config_.peer_euid)),
               true);
  }
  hello_timer_.Disarm();
  config_.log.Write(LogLevel::kInfo, [this] { return "peer connected: " + peer().ToString(); });
  if (config_.role == Role::kConnector) {
    if (state_ == State::kGreeting) state_ = State::kOpen;
    if (config_.on_session) config_.on_session(hello.getSessionId());
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
  if (config_.sessions == nullptr) return OnSessionOpen(Status());
  holding_ = true;
  const auto link = anchor_.link();
  std::optional<Status> answer;  // Of a session that opens at once.
  auto session = config_.sessions->Join(std::string(key.asChars().begin(), key.size()), peer(),
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
  End(Status(code, std::string("the peer ended the association: ") + goodbye.getMessage().cStr()),
      false);
}

}  // namespace lwmsg
