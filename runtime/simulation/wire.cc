#include "runtime/simulation/wire.h"

#include <algorithm>
#include <utility>

namespace lwmsg::internal {
namespace {

// What a connection takes before it is read.
constexpr std::array<size_t, 4> kCapacities = {48, 500, 4000, 256 << 10};

// A busy world's clock goes on by milliseconds.
constexpr std::chrono::seconds kLongerThanAnyRun{5};

std::string NameOf(const CallInfo& call) {
  return call.name() + ", call id " + std::to_string(call.id);
}

}  // namespace

Pipe::Pipe(World& world, std::string name)
    : Actor(world, std::move(name)),
      capacity_(kCapacities[world.random().Below(kCapacities.size())]) {}

size_t Pipe::Write(std::span<const SendQueue::Piece> pieces, std::span<OsHandle> handles) {
  size_t room = capacity_ - std::min(capacity_, bytes_.size());
  // The kernel takes less when it likes.
  if (room > 1 && world().random().OneIn(4)) room = 1 + world().random().Below(room);
  const uint64_t first = read_ + bytes_.size();
  for (const SendQueue::Piece& piece : pieces) {
    const size_t size = std::min(room, piece.size());
    bytes_.append(reinterpret_cast<const char*>(piece.begin()), size);
    room -= size;
  }
  const uint64_t end = read_ + bytes_.size();
  if (!handles.empty() && end != first) {
    Riders& riders = riders_.emplace_back(Riders{first, end, {}});
    for (OsHandle& handle : handles) riders.handles.push_back(std::move(handle));
  }
  return end - first;
}

void Pipe::Inject(std::string_view bytes, std::vector<OsHandle> handles) {
  const uint64_t first = read_ + bytes_.size();
  bytes_.append(bytes);
  if (!handles.empty()) riders_.push_back({first, first + bytes.size(), std::move(handles)});
}

void Pipe::Cut() {
  write_ended_ = true;
  cut_ = true;
  const size_t kept = arrived_ + world().random().Below(bytes_.size() - arrived_ + 1);
  bytes_.resize(kept);
  while (!riders_.empty() && riders_.back().first >= read_ + kept) riders_.pop_back();
}

std::string Pipe::Read(size_t size, std::vector<OsHandle>& handles) {
  size = std::min(size, arrived_);
  if (!riders_.empty() && riders_.front().first < read_ + size) {
    size = std::min<size_t>(size, riders_.front().end - read_);
    handles = std::move(riders_.front().handles);
    // A later part of the same write ends no read.
    riders_.pop_front();
  }
  std::string taken = bytes_.substr(0, size);
  bytes_.erase(0, size);
  arrived_ -= size;
  read_ += size;
  return taken;
}

void Pipe::EndReading() {
  reading_ended_ = true;
  bytes_.clear();
  arrived_ = 0;
  riders_.clear();
}

bool Pipe::CanAct() {
  return !reading_ended_ && (arrived_ < bytes_.size() || (write_ended_ && !end_arrived_));
}

void Pipe::Act() {
  size_t rest = bytes_.size() - arrived_;
  if (rest == 0) {
    end_arrived_ = true;
    return world().Note(name(), "ends");
  }
  SeededRandom& random = world().random();
  const uint64_t manner = random.Below(8);
  if (manner == 0) rest = 1;
  if (manner == 1) rest = std::min<size_t>(rest, 1 + random.Below(16));
  if (manner < 4) rest = 1 + random.Below(rest);
  arrived_ += rest;
  world().Note(name(), "bytes that arrive:", rest);
}

Wire::Wire(World& world, std::string label)
    : world_(world),
      label_(std::move(label)),
      pipes_{Pipe(world, label_ + " to the server"), Pipe(world, label_ + " to the client")} {}

void Wire::HangUp(Side side) {
  if (std::exchange(ends_[side].hung_up, true)) return;
  from(side).EndWriting();
  from(OtherSide(side)).EndReading();
}

void Wire::Lose() {
  world_.Note(label_, "is lost");
  for (Pipe& pipe : pipes_) pipe.Cut();
}

void Wire::Sent(Side side, std::string_view bytes) {
  if (tainted_) return;
  const std::string wrong = monitor_.Sent(side, bytes);
  if (!wrong.empty()) Fail(wrong);
}

void Wire::OnBegin(Side side, const CallInfo& call) {
  if (tainted_) return;
  if (call.direction == CallDirection::kIncoming) return Arrived(side, call);
  const bool one_way =
      call.protocol != nullptr && call.protocol->methods[call.method].kind == MethodKind::kOneWay;
  // One that was never sent has no id either.
  if (call.id == 0 && !one_way) return;
  ends_[side].sent.push_back({call.id, call.interface_id, call.method});
  if (call.id != 0 && !ends_[side].outgoing.insert(call.id).second) {
    Fail(NameOf(call) + " begins twice");
  }
}

void Wire::Arrived(Side side, const CallInfo& call) {
  auto& sent = ends_[OtherSide(side)].sent;
  const SentCall wanted{call.id, call.interface_id, call.method};
  while (!sent.empty() && !(sent.front() == wanted)) sent.pop_front();
  if (sent.empty()) return Fail(NameOf(call) + " overtook another, or was never made");
  sent.pop_front();
  if (call.id == 0) return;
  End& end = ends_[side];
  // What is too much ends at once.
  if (end.incoming.size() > end.max_calls) {
    Fail(std::to_string(end.incoming.size()) + " calls are in hand; the limit is " +
         std::to_string(end.max_calls));
  }
  if (!end.incoming.insert(call.id).second) Fail(NameOf(call) + " came twice");
}

void Wire::OnEnd(Side side, const CallInfo& call) {
  if (tainted_ || call.id == 0) return;
  End& end = ends_[side];
  auto& calls = call.direction == CallDirection::kIncoming ? end.incoming : end.outgoing;
  if (calls.erase(call.id) == 0) Fail(NameOf(call) + " ended twice");
}

void Wire::SetLimits(Side side, const Limits& limits) {
  ends_[side].max_calls = limits.max_calls;
  ends_[side].send_timeout = limits.send_timeout;
}

void Wire::OnEnd(Side side, const Status& reason) {
  world_.Note(label_, side == kClientSide ? "is over at the client" : "is over at the server",
              static_cast<uint64_t>(reason.code()));
  if (tainted_) return;
  // All sides read, so that nothing waits for long.
  const auto patience = std::min(ends_[kClientSide].send_timeout, ends_[kServerSide].send_timeout);
  const bool stuck =
      reason.code() == StatusCode::kDeadlineExceeded && patience >= kLongerThanAnyRun;
  if (stuck || reason.code() == StatusCode::kMalformed || reason.code() == StatusCode::kInternal) {
    Fail("an honest connection ended: " + reason.ToString());
  }
}

void Wire::CheckAtRest() {
  if (tainted_ || hung_up(kClientSide) || hung_up(kServerSide)) return;
  for (Side side : {kClientSide, kServerSide}) {
    if (from(side).unread() != 0) {
      Fail(std::to_string(from(side).unread()) + " bytes are not read");
    }
    if (const uint32_t id = monitor_.FirstForgotten(side, ends_[side].outgoing); id != 0) {
      Fail("nobody waits for call id " + std::to_string(id) + ", but the callee was not told");
    }
    // Calls wait for the session.
    if (!monitor_.greeted(kServerSide)) continue;
    const auto& at_callee = ends_[OtherSide(side)].incoming;
    for (const uint32_t id : ends_[side].outgoing) {
      if (!at_callee.contains(id)) {
        Fail("call id " + std::to_string(id) + " has no answer, and the callee does not have it");
      }
    }
  }
}

void Wire::CheckEnded() {
  if (!hung_up(kClientSide) || !hung_up(kServerSide)) Fail("one side did not hang up");
  if (tainted_) return;
  for (const End& end : ends_) {
    if (!end.outgoing.empty() || !end.incoming.empty()) {
      Fail(std::to_string(end.outgoing.size() + end.incoming.size()) + " calls did not end");
    }
  }
}

}  // namespace lwmsg::internal
