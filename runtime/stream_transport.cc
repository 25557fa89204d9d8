#include "runtime/stream_transport.h"

#include <algorithm>
#include <string>
#include <utility>

#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/limit_hits.h"
#include "runtime/platform.h"

namespace lwmsg::internal {
namespace {

// A backlog that is full empties in microseconds or not for a while.
constexpr std::chrono::milliseconds kLongestConnectDelay{64};

// Reads in one go before others on the loop get their turn.
constexpr int kMaxReads = 16;

// Queued for a peer of a server before it is not read any more.
constexpr size_t kClogged = 256 << 10;

// Who had so much waiting to be read was held up by this side.
constexpr size_t kHeldUp = 4096;

}  // namespace

StreamTransport::StreamTransport(IoLoop& loop, std::unique_ptr<FrameStream> stream,
                                 const Limits& limits, std::shared_ptr<UserShare> share)
    : loop_(loop),
      stream_(std::move(stream)),
      frame_timeout_(limits.frame_timeout),
      send_timeout_(limits.send_timeout),
      max_queued_bytes_(limits.max_queued_bytes),
      share_(std::move(share)),
      timer_(loop, [this] { OrFail([this] { OnTimer(); }); }) {
  if (share_) stream_->CountHandlesIn(share_->handles());
}

StreamTransport::StreamTransport(IoLoop& loop, std::unique_ptr<FrameStream> stream,
                                 std::string endpoint, const Limits& limits)
    : StreamTransport(loop, std::move(stream), limits, nullptr) {
  connecting_ = std::make_unique<Connecting>(
      Connecting{.endpoint = std::move(endpoint), .timeout = limits.hello_timeout});
}

StreamTransport::~StreamTransport() {
  loop_.ForgetFlush(*this);
  if (state_ == State::kOpen || state_ == State::kFinishing) {
    IfMemory([this] { static_cast<void>(stream_->Write()); });
  }
  if (!share_) return;
  share_->Charge(charged_, {});
  EndBegun();
  share_->Forget(*this);
}

void StreamTransport::Start(Listener& listener) {
  listener_ = &listener;
  if (!connecting_) return Open();
  state_ = State::kConnecting;
  connecting_->deadline = loop_.Now() + connecting_->timeout;
  TryConnect();
}

void StreamTransport::TryConnect() {
  auto connected = stream_->Connect();
  if (!connected) return FailLater(std::move(connected).error());
  if (!*connected) {
    if (loop_.Now() >= connecting_->deadline) {
      return FailLater(
          Status(StatusCode::kUnavailable, "the server at " + connecting_->endpoint +
                                               " accepts nobody: its backlog was full for " +
                                               std::to_string(connecting_->timeout.count()) +
                                               " ms, " + HitLimit(Limit::kHelloTimeout)));
    }
    timer_.ArmAfter(connecting_->delay);
    connecting_->delay = std::min(2 * connecting_->delay, kLongestConnectDelay);
    return;
  }
  connecting_.reset();
  Open();
}

void StreamTransport::Open() {
  auto watch = stream_->MakeWatch(
      loop_, [this](IoLoop::Ready ready) { OrFail([this, ready] { OnReady(ready); }); });
  if (!watch) return FailLater(std::move(watch).error());
  watch_ = std::move(*watch);
  state_ = State::kOpen;
  UpdateWatch(false);
  if (stream_->queued().bytes != 0) loop_.FlushAtEndOfTurn(*this);
}

void StreamTransport::Send(OutgoingMessage message) {
  if (write_failed_ || overflowed_ || state_ == State::kDone) return;
  // Nor is it kept until the association ends: in one turn many of a user's may ask for much.
  overflowed_ = queued_for_user().bytes + message.ByteSize() > max_queued_bytes_;
  if (overflowed_) return;
  stream_->Queue(std::move(message));
  Charge();
  if (state_ == State::kOpen) loop_.FlushAtEndOfTurn(*this);
}

void StreamTransport::Flush() {
  OrFail([this] { WriteQueued(); });
}

void StreamTransport::WriteQueued() {
  if (write_failed_ || (state_ != State::kOpen && state_ != State::kFinishing)) return;
  const size_t before = stream_->queued().bytes;
  auto progress = stream_->Write();
  Charge();
  if (!TellUnsent() || state_ == State::kDone) return;
  if (!progress) {
    write_failed_ = true;
    if (state_ == State::kFinishing) return Finish();
    // The peer may have said why before it hung up: read to the end first, if there is room.
    if (progress.error().code() != StatusCode::kUnavailable || stalled_by_) {
      return Fail(std::move(progress).error());
    }
    timer_.ArmAfter(send_timeout_);
    return UpdateWatch(false);
  }
  const bool blocked = *progress == FrameStream::Progress::kBlocked;
  if (*progress == FrameStream::Progress::kEnd) {
    if (state_ == State::kOpen) {
      timer_.Disarm();
    } else if (!AwaitsAnswers()) {
      return Finish();
    }
  } else if (state_ == State::kOpen && (stream_->queued().bytes < before || !timer_.when())) {
    timer_.ArmAfter(send_timeout_);  // Not while it closes: a peer could read a little at a time.
  }
  UpdateWatch(blocked);
}

void StreamTransport::OnReady(IoLoop::Ready ready) {
  const auto link = anchor_.link();
  if (ready.writable) Flush();
  if (link.get() == nullptr || !ready.readable) return;
  if (state_ == State::kFinishing) return ReadAnswers();
  if (state_ == State::kOpen && Receive(ready.in_read)) Flush();
}

void StreamTransport::ReadAnswers() {
  auto progress = stream_->Read(loop_.read_buffer(), false);
  if (progress && *progress == FrameStream::Progress::kBlocked) return;
  loop_.NoteArrival();
  if (!progress || *progress == FrameStream::Progress::kEnd) return Finish();
  while (true) {
    auto frame = stream_->Next();
    if (frame && *frame) continue;
    // Nothing that comes behind broken framing counts; what is queued still goes out.
    if (!frame) failed_ = true;
    return Flush();
  }
}

bool StreamTransport::AwaitsAnswers() const { return !failed_ && stream_->awaits_peer(); }

bool StreamTransport::Receive(bool waits) {
  // Inside a handler that waits: what was read with its frame comes first.
  if (delivering_ && !Deliver()) return false;
  if (!TakeRoom()) return true;
  for (int i = 0; i < kMaxReads; ++i) {
    const auto shared = RoomToRead(i != 0);
    if (shared.empty()) return true;
    auto progress = stream_->Read(shared, waits && i == 0);
    if (progress && *progress == FrameStream::Progress::kBlocked) return true;
    loop_.NoteArrival();
    if (!progress) {
      Fail(std::move(progress).error());
      return false;
    }
    if (*progress == FrameStream::Progress::kEnd) {
      Fail(stream_->at_boundary() ? Status()
                                  : Status(StatusCode::kUnavailable,
                                           "the connection ended in the middle of a message"));
      return false;
    }
    if (share_) share_->Read(stream_->last_read_size());
    if (!Deliver() || !MayHoldHandles()) return false;
    if (!TakeRoom() || !stream_->last_read_was_full()) return true;
  }
  return true;
}

bool StreamTransport::Deliver() {
  const auto link = anchor_.link();
  while (true) {
    auto frame = stream_->Next();
    if (!frame) {
      Fail(std::move(frame).error());
      return false;
    }
    if (!*frame) {
      TimeFrame();
      return true;
    }
    EndBegun();
    if (share_) (*frame)->received = share_->Arrived(8 * (*frame)->words.size());
    const bool outer = std::exchange(delivering_, true);
    listener_->OnFrame(std::move(**frame));
    if (link.get() == nullptr) return false;
    delivering_ = outer;
    if (state_ != State::kOpen) return false;
  }
}

void StreamTransport::TimeFrame() {
  if (!is_partial() || frame_timeout_.count() == 0) return;
  if (!partial_) {
    partial_ = std::make_unique<Partial>(loop_, [this] { OrFail([this] { OnFrameDue(); }); });
  }
  if (partial_->after != stream_->frames()) {
    partial_->after = stream_->frames();
    partial_->since = loop_.Now();
  }
  if (!partial_->timer.when()) partial_->timer.Arm(partial_->since + frame_timeout_);
}

void StreamTransport::OnFrameDue() {
  if (state_ != State::kOpen || failed_ || !is_partial()) return;
  if (loop_.Now() >= partial_->since + frame_timeout_) {
    if (stalled_by_) {
      if (stream_->hung_up()) {
        return Fail(Status(
            StatusCode::kUnavailable,
            "the peer hung up while what it sent waited for room, " + HitLimit(*stalled_by_)));
      }
      // Without memory nobody may have told of it.
      share_->Forget(*this);
      return OnRoom();
    }
    // A peer that is not read now is not late. And a loop that is late finds the rest here.
    if (!RoomToRead(false).empty()) {
      const size_t before = stream_->begun();
      if (!Receive(false) || stalled_by_ || stream_->at_boundary()) return;
      if (partial_->after == stream_->frames() && stream_->begun() < before + kHeldUp) {
        return Fail(Status(StatusCode::kDeadlineExceeded,
                           "of a message " + std::to_string(stream_->begun()) +
                               " bytes came, but not the rest within " +
                               std::to_string(frame_timeout_.count()) + " ms, " +
                               HitLimit(Limit::kFrameTimeout)));
      }
    }
    partial_->since = loop_.Now();
  }
  partial_->timer.Arm(partial_->since + frame_timeout_);
}

bool StreamTransport::TellUnsent() {
  const auto link = anchor_.link();
  while (auto unsent = stream_->TakeUnsent()) {
    // What was behind it.
    loop_.FlushAtEndOfTurn(*this);
    if (state_ == State::kOpen) listener_->OnUnsent(std::move(unsent->message), unsent->reason);
    if (link.get() == nullptr) return false;
  }
  return true;
}

void StreamTransport::UpdateWatch(bool blocked) {
  if (!watch_) return;
  const bool reads = state_ == State::kFinishing
                         ? AwaitsAnswers()
                         : !failed_ && !stalled_by_ && (write_failed_ || !clogged());
  watch_->Want({reads, blocked, stream_->can_wait_in_read()});
}

std::span<std::byte> StreamTransport::RoomToRead(bool again) {
  const auto shared = loop_.read_buffer();
  if (!share_) return shared;
  if (stalled_by_ || clogged()) return {};
  return shared.first(std::min(share_->ReadRoom(again), shared.size()));
}

bool StreamTransport::TakeRoom() {
  if (!share_) return true;
  if (stalled_by_) return false;
  if (!share_->MayReceiveHandles(*this)) return Stall(Limit::kMaxReceivedHandles);
  const size_t bytes = stream_->under_way();
  if (bytes == 0 || begun_ != 0 || write_failed_) return true;
  if (!share_->Begin(bytes, *this)) return Stall(Limit::kMaxReceivedBytes);
  begun_ = bytes;
  return true;
}

bool StreamTransport::MayHoldHandles() {
  if (!share_ || stream_->waiting_handles() == 0 || !share_->handles()->over()) return true;
  Fail(Status(StatusCode::kResourceExhausted,
              "a message with OS handles is not whole while those of this user's peers hold more "
              "than " +
                  std::to_string(share_->handles()->most_held()) + ", " +
                  HitLimit(Limit::kMaxReceivedHandles) + "; send them again later, or fewer"));
  return false;
}

void StreamTransport::RenewWatch() {
  // Else the flush does it, which also sees what is to be written.
  if (write_failed_) return UpdateWatch(false);
  loop_.FlushAtEndOfTurn(*this);
}

bool StreamTransport::Stall(Limit by) {
  stalled_by_ = by;
  RenewWatch();
  TimeFrame();
  if (partial_) {
    const TimePoint now = loop_.Now();
    partial_->used = now - std::exchange(partial_->since, now);
  }
  return false;
}

void StreamTransport::EndBegun() {
  if (begun_ != 0) share_->End(std::exchange(begun_, 0));
}

void StreamTransport::OnRoom() {
  stalled_by_.reset();
  if (state_ != State::kOpen || failed_) return;
  OrFail([this] {
    // While there was no room the frame's time stood still.
    if (partial_) partial_->since = loop_.Now() - partial_->used;
    if (!TakeRoom()) return;
    RenewWatch();
    if (partial_ && stream_->at_boundary()) partial_->after.reset();
    if (partial_ && is_partial()) partial_->timer.Arm(partial_->since + frame_timeout_);
    OnReady({.readable = true, .writable = true});
  });
}

bool StreamTransport::clogged() const { return share_ && stream_->queued().bytes > kClogged; }

void StreamTransport::Charge() {
  if (!share_) return;
  const Queued now = stream_->queued();
  if (now == charged_) return;
  share_->Charge(charged_, now);
  charged_ = now;
}

Transport::Queued StreamTransport::queued_for_user() const {
  Queued all = share_ ? share_->queued() : stream_->queued();
  if (overflowed_) all.bytes = std::max(all.bytes, max_queued_bytes_ + 1);
  return all;
}

void StreamTransport::OnTimer() {
  if (state_ == State::kConnecting) return TryConnect();
  if (state_ == State::kFinishing) return Finish();
  write_failed_ = true;
  Fail(Status(StatusCode::kDeadlineExceeded, "the peer took nothing of what waits for it for " +
                                                 std::to_string(send_timeout_.count()) + " ms, " +
                                                 HitLimit(Limit::kSendTimeout)));
}

void StreamTransport::Fail(Status reason) {
  // A listener that does not close at once would be told again in each turn of the loop.
  failed_ = true;
  UpdateWatch(false);
  listener_->OnClosed(std::move(reason));
}

void StreamTransport::FailLater(Status reason) {
  loop_.Post(SureTask([link = anchor_.link(), reason = std::move(reason)]() mutable {
    StreamTransport* self = link.get();
    if (self != nullptr && self->state_ != State::kDone) self->Fail(std::move(reason));
  }));
}

template <typename Function>
void StreamTransport::OrFail(Function function) {
  const auto link = anchor_.link();
  if (IfMemory(function) || link.get() == nullptr || state_ == State::kDone) return;
  if (state_ == State::kFinishing) return Finish();
  if (!failed_) Fail(OutOfMemory());
}

void StreamTransport::Close(UniqueFunction<void()> done) {
  done_ = std::move(done);
  timer_.Disarm();
  if (partial_) partial_->timer.Disarm();
  // A peer that let more pile up than it may is not waited for.
  if (state_ != State::kOpen || write_failed_ || overflowed_) return Finish();
  // What was read already would be gone with the loop's next read.
  const bool read = IfMemory([this] {
    while (!failed_) {
      auto frame = stream_->Next();
      if (!frame) failed_ = true;
      if (frame && !*frame) break;
    }
  });
  if (!read) failed_ = true;
  if (stream_->queued().bytes == 0 && !AwaitsAnswers()) return Finish();
  state_ = State::kFinishing;
  timer_.ArmAfter(send_timeout_);
  loop_.FlushAtEndOfTurn(*this);
  UpdateWatch(false);
}

void StreamTransport::Finish() {
  if (state_ == State::kDone) return;
  state_ = State::kDone;
  timer_.Disarm();
  loop_.ForgetFlush(*this);
  watch_.reset();
  stream_->HangUp();
  // The association may be there for much longer.
  stream_->DropRest();
  Charge();
  EndBegun();
  if (share_) share_->Forget(*this);
  loop_.Post(std::move(done_));
}

Result<std::unique_ptr<Transport>> ConnectTransport(IoLoop& loop, const Endpoint& endpoint,
                                                    const WantedServer& wanted,
                                                    const Limits& limits) {
  auto stream = NewStream(endpoint, wanted, limits);
  if (!stream) return Error(std::move(stream).error());
  auto connected = (*stream)->Connect();
  if (!connected) return Error(std::move(connected).error());
  if (*connected) return std::make_unique<StreamTransport>(loop, std::move(*stream), limits);
  return std::make_unique<StreamTransport>(loop, std::move(*stream), endpoint.ToString(), limits);
}

Result<std::unique_ptr<Transport>> AdoptTransport(IoLoop& loop, OsHandle native,
                                                  const Limits& limits) {
  auto stream = AdoptStream(std::move(native), limits);
  if (!stream) return Error(std::move(stream).error());
  return std::make_unique<StreamTransport>(loop, std::move(*stream), limits);
}

}  // namespace lwmsg::internal
