#include "runtime/send_queue.h"

#include <algorithm>
#include <utility>

namespace lwmsg::internal {

void SendQueue::Add(OutgoingMessage message) {
  size_t bytes = 0;
  for (auto piece : message.Pieces()) bytes += piece.size();
  bytes_ += bytes;
  messages_.push_back({std::move(message), bytes, {}});
}

SendQueue::Batch SendQueue::Next(size_t max_pieces) {
  pieces_.clear();
  size_t skip = written_;
  std::span<OsHandle> handles;
  const auto add = [&](kj::ArrayPtr<const kj::byte> piece) {
    const size_t cut = std::min(skip, piece.size());
    skip -= cut;
    if (cut < piece.size()) pieces_.push_back(piece.slice(cut, piece.size()));
    return pieces_.size() < max_pieces;
  };
  for (Entry& entry : messages_) {
    const bool first = &entry == &messages_.front();
    const auto own = entry.message.handles().all();
    if (!first && !own.empty()) break;
    if (first && written_ == 0) handles = own;
    for (auto piece : entry.message.Pieces()) {
      if (!add(piece)) return {pieces_, handles};
    }
    const auto* trailer = reinterpret_cast<const kj::byte*>(entry.trailer.data());
    if (!add(kj::arrayPtr(trailer, entry.trailer.size()))) break;
    if (!own.empty()) break;
  }
  return {pieces_, handles};
}

void SendQueue::SetTrailer(std::vector<std::byte> trailer) {
  messages_.front().bytes += trailer.size();
  bytes_ += trailer.size();
  messages_.front().trailer = std::move(trailer);
}

OutgoingMessage SendQueue::TakeFirst() {
  Entry first = messages_.TakeFront();
  bytes_ -= first.bytes;
  return std::move(first.message);
}

void SendQueue::Written(size_t size) {
  bytes_ -= size;
  written_ += size;
  while (!messages_.empty() && written_ >= messages_.front().bytes) {
    written_ -= messages_.front().bytes;
    messages_.TakeFront();
  }
}

void SendQueue::Clear() {
  messages_.clear();
  bytes_ = 0;
  written_ = 0;
}

}  // namespace lwmsg::internal
