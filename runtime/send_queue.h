#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "lwmsg/internal/fifo.h"
#include "lwmsg/message.h"

namespace lwmsg::internal {

// Messages on their way out, in order. Knows which bytes may go in one write; no I/O of its own.
class SendQueue {
 public:
  using Piece = kj::ArrayPtr<const kj::byte>;
  // What the next write takes: bytes in pieces, and the OS handles that ride on the first of them.
  struct Batch {
    std::span<Piece> pieces;
    std::span<OsHandle> handles;
  };

  void Add(OutgoingMessage message);
  // Only if not empty. Puts as many pieces as there are and as `room`, which is not empty, can have
  // there. Handles ride alone: no message goes behind one that has handles, so that the receiver
  // can tell whose they are.
  Batch Next(std::span<Piece> room);
  // `size` bytes of the last batch were written, with all its handles.
  void Written(size_t size);
  // Bytes that go out right behind the first message, of which nothing was written yet.
  void SetTrailer(std::vector<std::byte> trailer);
  // Takes the first message out, of which nothing was written yet.
  OutgoingMessage TakeFirst();
  void Clear();

  bool empty() const { return messages_.empty(); }
  size_t bytes() const { return bytes_; }
  size_t size() const { return messages_.size(); }
  size_t handles() const { return handles_; }
  // False in the middle of a message.
  bool at_boundary() const { return written_ == 0; }

 private:
  struct Entry {
    OutgoingMessage message;
    size_t bytes;                                           // With the trailer.
    std::unique_ptr<const std::vector<std::byte>> trailer;  // Null: none.
  };

  // With its handles.
  Entry Pop();

  Fifo<Entry> messages_;
  size_t bytes_ = 0;
  size_t handles_ = 0;
  size_t written_ = 0;  // Of the first message.
};

}  // namespace lwmsg::internal
