#include "runtime/send_queue.h"

#include <utility>

namespace lwmsg::internal {

void SendQueue::Add(OutgoingMessage message) {
  size_t bytes = 0;
  for (auto piece : message.Pieces()) bytes += piece.size();
  bytes_ += bytes;
  messages_.push_back({std::move(message), bytes});
}

SendQueue::Batch SendQueue::Next(size_t max_pieces) {
  pieces_.clear();
  size_t skip = written_;
  std::span<OsHandle> handles;
  for (auto& [message, bytes] : messages_) {
    const bool first = &message == &messages_.front().message;
    const auto own = message.handles().all();
    if (!first && !own.empty()) break;
    if (first && written_ == 0) handles = own;
    for (auto piece : message.Pieces()) {
      if (skip >= piece.size()) {
        skip -= piece.size();
        continue;
      }
      pieces_.push_back(piece.slice(skip, piece.size()));
      skip = 0;
      if (pieces_.size() == max_pieces) return {pieces_, handles};
    }
    if (!own.empty()) break;
  }
  return {pieces_, handles};
}

void SendQueue::Written(size_t size) {
  bytes_ -= size;
  written_ += size;
  while (!messages_.empty() && written_ >= messages_.front().bytes) {
    written_ -= messages_.front().bytes;
    messages_.pop_front();
  }
}

void SendQueue::Clear() {
  messages_.clear();
  bytes_ = 0;
  written_ = 0;
}

}  // namespace lwmsg::internal
