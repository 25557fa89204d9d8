#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

#include "contender.h"

namespace bench {

// What the hand-written contenders speak.
struct RawHeader {
  uint32_t size;  // Of the payload behind it.
  uint32_t kind;
  uint64_t id;
};

struct RawFrame {
  RawHeader header;
  std::span<char> payload;
  int file = -1;  // The receiver's.
};

// sendmsg of header and payload with `file`, if it is one; recvmsg of whatever comes, which sets
// `file` if one came with it. As these give errors.
ssize_t RawSend(int socket, const RawHeader& header, std::span<const char> payload, int file);
ssize_t RawReceive(int socket, std::span<char> space, int& file);

// The payload of the reply to `request`; `number` is room for one that is a number. Where the reply
// is a descriptor, it is the one that came.
std::span<const char> RawReply(const RawFrame& request, uint64_t& number);

// A client's requests, one at a time, and the check of their replies.
class RawCalls {
 public:
  explicit RawCalls(const Shape& shape);
  ~RawCalls();
  RawCalls(const RawCalls&) = delete;
  RawCalls& operator=(const RawCalls&) = delete;

  // Numbers the request, which is valid until the next.
  RawFrame Next();
  // Replies come in the order of requests, counted by `received`. Closes their descriptors.
  void CheckReply(const RawFrame& reply, uint64_t id) const;

 private:
  Shape shape_;
  std::string payload_;
  uint64_t next_ = 0;
  int file_ = -1;
  uint64_t shared_digest_ = 0;
};

}  // namespace bench
