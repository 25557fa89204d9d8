#pragma once

#include <capnp/common.h>
#include <kj/array.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace lwmsg::internal {

// A message is mostly one segment of at most this many words.
constexpr size_t kSmallWords = 256;
// Room in front of a message's first segment for the header, so that both go out in one piece.
constexpr size_t kHeaderRoomWords = 3;

// For the words of a received message; not zeroed. Kept by the thread for the next one: what is
// fresh from the system costs more than reading a message into it. Whoever gives them back has
// wiped what was secret in them.
kj::Array<capnp::word> NewWords(size_t count);

// Memory for a message that is built: all zero but the header, also when it goes. Kept as above.
class ZeroedBlock {
 public:
  // With room for at least `words` of segment; if they are more than are ever kept, for few.
  explicit ZeroedBlock(size_t words);
  ZeroedBlock(const ZeroedBlock&) = delete;
  ZeroedBlock& operator=(const ZeroedBlock&) = delete;
  ~ZeroedBlock();

  kj::ArrayPtr<capnp::word> all() { return {words_, count_}; }
  kj::ArrayPtr<capnp::word> segment() { return all().slice(kHeaderRoomWords, count_); }

 private:
  size_t count_;
  capnp::word* words_;
};

// What the thread's messages of one kind last took, so that the next one is built in one piece.
class MessageSizes {
 public:
  // Tells kinds of messages apart: a method's calls, or its replies and items.
  using Kind = uint64_t;
  static Kind KindOf(uint64_t interface_id, uint16_t method, bool call) {
    return interface_id + 2 * uint64_t{method} + (call ? 1 : 0);
  }

  // In words; few if nothing is known.
  static size_t Expected(Kind kind);
  static void Note(Kind kind, size_t words);
};

}  // namespace lwmsg::internal
