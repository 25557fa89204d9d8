#include "runtime/posix/socket_transport.h"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/platform.h"
#include "runtime/posix/socket_address.h"

namespace lwmsg::internal {
namespace {

// A backlog that is full empties in microseconds or not for a while.
constexpr std::chrono::milliseconds kLongestConnectDelay{64};

// Reads in one go before others on the loop get their turn.
constexpr int kMaxReads = 16;

Status CheckServer(const SocketTransport::Target& target, const Token& server) {
  if (!target.server_euid || server.euid() == target.server_euid) return Status();
  return Status(StatusCode::kPermissionDenied,
                "the server at " + target.endpoint.ToString() + " is " + server.ToString() +
                    ", not the wanted user " + std::to_string(*target.server_euid) +
                    "; nothing was sent to it");
}

}  // namespace

SocketTransport::SocketTransport(IoLoop& loop, const Limits& limits)
    : loop_(loop), limits_(limits), stream_(limits), timer_(loop, [this] { OnTimer(); }) {}

SocketTransport::SocketTransport(IoLoop& loop, OsHandle socket, Target target, const Limits& limits)
    : SocketTransport(loop, limits) {
  stream_.set_socket(std::move(socket));
  target_ = std::move(target);
}

SocketTransport::SocketTransport(IoLoop& loop, OsHandle socket, const Limits& limits)
    : SocketTransport(loop, limits) {
  stream_.set_socket(std::move(socket));
  stream_.Connected();
}

SocketTransport::~SocketTransport() {
  loop_.ForgetFlush(*this);
  if (state_ == State::kOpen || state_ == State::kFinishing) static_cast<void>(stream_.Write());
}

void SocketTransport::Start(Listener& listener) {
  listener_ = &listener;
  if (!target_) return Open();
  state_ = State::kConnecting;
  connect_deadline_ = loop_.Now() + limits_.hello_timeout;
  TryConnect();
}

void SocketTransport::TryConnect() {
  auto connected = ConnectOnce(stream_.socket(), target_->endpoint);
  if (!connected) return FailLater(std::move(connected).error());
  if (!*connected) {
    if (loop_.Now() >= connect_deadline_) {
      return FailLater(
          Status(StatusCode::kUnavailable, "the server at " + target_->endpoint.ToString() +
                                               " accepts nobody: its backlog was full for " +
                                               std::to_string(limits_.hello_timeout.count()) +
                                               " ms, Limits::hello_timeout"));
    }
    timer_.ArmAfter(connect_delay_);
    connect_delay_ = std::min(2 * connect_delay_, kLongestConnectDelay);
    return;
  }
  stream_.Connected();
  if (Status right = CheckServer(*target_, peer()); !right.ok()) return FailLater(right);
  Open();
}

void SocketTransport::Open() {
  auto watch =
      loop_.WatchSocket(stream_.socket().get(), [this](IoLoop::Ready ready) { OnReady(ready); });
  if (!watch) return FailLater(std::move(watch).error());
  watch_ = std::move(*watch);
  state_ = State::kOpen;
  UpdateWatch(false);
  if (stream_.queued_bytes() != 0) loop_.FlushAtEndOfTurn(*this);
}

void SocketTransport::Send(OutgoingMessage message) {
  if (write_failed_ || state_ == State::kDone) return;
  stream_.Queue(std::move(message));
  if (state_ == State::kOpen) loop_.FlushAtEndOfTurn(*this);
}

void SocketTransport::Flush() {
  if (write_failed_ || (state_ != State::kOpen && state_ != State::kFinishing)) return;
  const size_t before = stream_.queued_bytes();
  auto progress = stream_.Write();
  if (!progress) {
    write_failed_ = true;
    if (state_ == State::kFinishing) return Finish();
    // The peer may have said why before it hung up: read to the end first.
    if (progress.error().code() != StatusCode::kUnavailable) {
      return Fail(std::move(progress).error());
    }
    timer_.ArmAfter(limits_.send_timeout);
    return UpdateWatch(false);
  }
  const bool blocked = *progress == SocketStream::Progress::kBlocked;
  if (!blocked) {
    timer_.Disarm();
    if (state_ == State::kFinishing) return Finish();
  } else if (stream_.queued_bytes() < before || !timer_.when()) {
    timer_.ArmAfter(limits_.send_timeout);
  }
  UpdateWatch(blocked);
}

void SocketTransport::OnReady(IoLoop::Ready ready) {
  const auto link = anchor_.link();
  if (ready.writable) Flush();
  if (link.get() == nullptr || !ready.readable || state_ != State::kOpen) return;
  if (Receive()) Flush();
}

bool SocketTransport::Receive() {
  // Inside a handler that waits: what was read with its frame comes first.
  if (delivering_ && !Deliver()) return false;
  for (int i = 0; i < kMaxReads; ++i) {
    const auto shared = loop_.read_buffer();
    auto progress = stream_.Read(shared);
    if (!progress) {
      Fail(std::move(progress).error());
      return false;
    }
    if (*progress == SocketStream::Progress::kBlocked) return true;
    if (*progress == SocketStream::Progress::kEnd) {
      Fail(stream_.at_boundary() ? Status()
                                 : Status(StatusCode::kUnavailable,
                                          "the connection ended in the middle of a message"));
      return false;
    }
    if (!Deliver()) return false;
    if (!stream_.last_read_was_full()) return true;
  }
  return true;
}

bool SocketTransport::Deliver() {
  const auto link = anchor_.link();
  while (true) {
    auto frame = stream_.Next();
    if (!frame) {
      Fail(std::move(frame).error());
      return false;
    }
    if (!*frame) return true;
    const bool outer = std::exchange(delivering_, true);
    listener_->OnFrame(std::move(**frame));
    if (link.get() == nullptr) return false;
    delivering_ = outer;
    if (state_ != State::kOpen) return false;
  }
}

void SocketTransport::UpdateWatch(bool blocked) {
  if (watch_) watch_->Want({state_ == State::kOpen && !failed_, blocked});
}

void SocketTransport::OnTimer() {
  if (state_ == State::kConnecting) return TryConnect();
  if (state_ == State::kFinishing) return Finish();
  write_failed_ = true;
  Fail(Status(StatusCode::kDeadlineExceeded, "the peer took nothing of what waits for it for " +
                                                 std::to_string(limits_.send_timeout.count()) +
                                                 " ms, Limits::send_timeout"));
}

void SocketTransport::Fail(Status reason) {
  // A listener that does not close at once would be told again in each turn of the loop.
  failed_ = true;
  UpdateWatch(false);
  listener_->OnClosed(std::move(reason));
}

void SocketTransport::FailLater(Status reason) {
  loop_.Post([link = anchor_.link(), reason = std::move(reason)] {
    SocketTransport* self = link.get();
    if (self != nullptr && self->state_ != State::kDone) self->Fail(reason);
  });
}

void SocketTransport::Close(UniqueFunction<void()> done) {
  done_ = std::move(done);
  timer_.Disarm();
  // A peer that let more pile up than it may is not waited for.
  const size_t queued = stream_.queued_bytes();
  if (state_ != State::kOpen || write_failed_ || queued == 0 || queued > limits_.max_queued_bytes) {
    return Finish();
  }
  state_ = State::kFinishing;
  timer_.ArmAfter(limits_.send_timeout);
  loop_.FlushAtEndOfTurn(*this);
  UpdateWatch(false);
}

void SocketTransport::Finish() {
  if (state_ == State::kDone) return;
  state_ = State::kDone;
  timer_.Disarm();
  loop_.ForgetFlush(*this);
  watch_.reset();
  stream_.HangUp();
  loop_.Post([done = std::move(done_)]() mutable { done(); });
}

Result<std::unique_ptr<Transport>> ConnectTransport(IoLoop& loop, const Endpoint& endpoint,
                                                    std::optional<uint32_t> server_euid,
                                                    const Limits& limits) {
  auto socket = NewSocket();
  if (!socket) return Error(std::move(socket).error());
  auto connected = ConnectOnce(*socket, endpoint);
  if (!connected) return Error(std::move(connected).error());
  SocketTransport::Target target{endpoint, server_euid};
  if (!*connected) {
    return std::make_unique<SocketTransport>(loop, std::move(*socket), std::move(target), limits);
  }
  auto transport = std::make_unique<SocketTransport>(loop, std::move(*socket), limits);
  if (Status right = CheckServer(target, transport->peer()); !right.ok()) {
    return Error(std::move(right));
  }
  return transport;
}

Result<std::unique_ptr<Transport>> AdoptTransport(IoLoop& loop, OsHandle socket,
                                                  const Limits& limits) {
  if (Status status = CheckSocket(socket, false); !status.ok()) return Error(std::move(status));
  if (Status status = SetNonBlocking(socket); !status.ok()) return Error(std::move(status));
  return std::make_unique<SocketTransport>(loop, std::move(socket), limits);
}

}  // namespace lwmsg::internal
