#include "runtime/simulation/stream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "runtime/simulation/loop.h"

namespace lwmsg::internal {

SimulatedStream::SimulatedStream(World& world, std::shared_ptr<Wire> wire, Side side, Token peer,
                                 const Limits& limits, ConnectFunction connect)
    : FrameStream(limits),
      world_(world),
      wire_(std::move(wire)),
      side_(side),
      peer_(std::move(peer)),
      connect_(std::move(connect)) {
  wire_->SetLimits(side_, limits);
}

Result<std::unique_ptr<IoLoop::Watch>> SimulatedStream::MakeWatch(IoLoop& loop,
                                                                  IoLoop::ReadyCallback callback) {
  auto ready = [wire = wire_.get(), side = side_] {
    Pipe& out = wire->from(side);
    return IoLoop::Ready{wire->from(OtherSide(side)).readable(),
                         out.has_room() || out.reading_ended()};
  };
  return static_cast<SimulatedLoop&>(loop).MakeWatch(std::move(ready), std::move(callback));
}

Result<FrameStream::Progress> SimulatedStream::Read(std::span<std::byte> shared, bool /*waits*/) {
  Pipe& in = wire_->from(OtherSide(side_));
  if (in.at_end()) {
    if (!in.was_cut()) return Progress::kEnd;
    return Error(StatusCode::kUnavailable, "the connection was lost: simulated");
  }
  if (!in.readable()) return Progress::kBlocked;
  const FrameReader::Space space = reader_.SpaceFor(shared);
  std::vector<OsHandle> handles;
  const std::string bytes = in.Read(space.frame.size() + space.shared.size(), handles);
  const size_t in_frame = std::min(bytes.size(), space.frame.size());
  if (in_frame != 0) std::memcpy(space.frame.data(), bytes.data(), in_frame);
  if (in_frame < bytes.size()) {
    std::memcpy(space.shared.data(), bytes.data() + in_frame, bytes.size() - in_frame);
  }
  last_read_size_ = bytes.size();
  last_read_was_full_ = bytes.size() == space.frame.size() + space.shared.size();
  reader_.Add(space, bytes.size(), std::move(handles));
  return Progress::kSome;
}

Status SimulatedStream::CannotPass(size_t handles) {
  if (handles == 0) return Status();
  if (!wire_->takes_handles(OtherSide(side_))) {
    return Status(StatusCode::kPermissionDenied, "the peer takes no OS handles");
  }
  if (world_.random().Below(100) < world_.options().unsent_handles) {
    return Status(StatusCode::kResourceExhausted, "the system passes no more OS handles now");
  }
  return Status();
}

Result<FrameStream::Progress> SimulatedStream::Write() {
  Pipe& out = wire_->from(side_);
  while (!queue_.empty()) {
    if (out.reading_ended() || out.was_cut()) {
      queue_.Clear();
      return Error(StatusCode::kUnavailable, "nobody takes messages for the peer any more");
    }
    if (!out.has_room()) return Progress::kBlocked;
    std::array<SendQueue::Piece, 8> room;
    const SendQueue::Batch batch = queue_.Next(room);
    if (Status refused = CannotPass(batch.handles.size()); !refused.ok()) {
      unsent_ = std::make_unique<Unsent>(Unsent{queue_.TakeFirst(), std::move(refused)});
      return Progress::kSome;
    }
    const size_t size = out.Write(batch.pieces, batch.handles);
    std::string written;
    for (const SendQueue::Piece& piece : batch.pieces) {
      const size_t rest = std::min(piece.size(), size - written.size());
      written.append(reinterpret_cast<const char*>(piece.begin()), rest);
    }
    wire_->Sent(side_, written);
    queue_.Written(size);
  }
  return Progress::kEnd;
}

void SimulatedStream::TakeHandles(bool takes) { wire_->TakeHandles(side_, takes); }

}  // namespace lwmsg::internal
