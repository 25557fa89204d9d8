#include "runtime/send_queue.h"

#include <algorithm>
#include <utility>

namespace lwmsg::internal {

void SendQueue::Add(OutgoingMessage message) {
  size_t bytes = 0;
  for (auto piece : message.Pieces()) bytes += piece.size();
  const size_t handles = message.handles().all().size();
  messages_.push_back({std::move(message), bytes, nullptr});
  bytes_ += bytes;
  handles_ += handles;
}

SendQueue::Batch SendQueue::Next(std::span<Piece> room) {
  size_t count = 0;
  size_t skip = written_;
  std::span<OsHandle> handles;
  const auto add = [&](Piece piece) {
    const size_t cut = std::min(skip, piece.size());
    skip -= cut;
    if (cut < piece.size()) room[count++] = piece.slice(cut, piece.size());
    return count < room.size();
  };
  for (Entry& entry : messages_) {
    const bool first = &entry == &messages_.front();
    const auto own = entry.message.handles().all();
    if (!first && !own.empty()) break;
    if (first && written_ == 0) handles = own;
    for (auto piece : entry.message.Pieces()) {
      if (!add(piece)) return {room.first(count), handles};
    }
    if (entry.trailer) {
      const auto* trailer = reinterpret_cast<const kj::byte*>(entry.trailer->data());
      if (!add(kj::arrayPtr(trailer, entry.trailer->size()))) break;
    }
    if (!own.empty()) break;
  }
  return {room.first(count), handles};
}

void SendQueue::SetTrailer(std::vector<std::byte> trailer) {
  Entry& first = messages_.front();
  first.bytes += trailer.size();
  bytes_ += trailer.size();
  first.trailer = std::make_unique<const std::vector<std::byte>>(std::move(trailer));
}

OutgoingMessage SendQueue::TakeFirst() {
  Entry first = Pop();
  bytes_ -= first.bytes;
  return std::move(first.message);
}

void SendQueue::Written(size_t size) {
  bytes_ -= size;
  written_ += size;
  while (!messages_.empty() && written_ >= messages_.front().bytes) {
    written_ -= messages_.front().bytes;
    static_cast<void>(Pop());
  }
}

SendQueue::Entry SendQueue::Pop() {
  Entry entry = messages_.TakeFront();
  handles_ -= entry.message.handles().all().size();
  return entry;
}

void SendQueue::Clear() {
  messages_.clear();
  bytes_ = 0;
  handles_ = 0;
  written_ = 0;
}

}  // namespace lwmsg::internal
