#pragma once

#include <unistd.h>

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "raw_frames.h"

namespace bench {

class BlockingSocket {
 public:
  explicit BlockingSocket(int socket) : socket_(socket) {}
  BlockingSocket(const BlockingSocket&) = delete;
  BlockingSocket& operator=(const BlockingSocket&) = delete;
  ~BlockingSocket() { close(socket_); }

  void Send(const RawFrame& frame) {
    ssize_t sent = RawSend(socket_, frame.header, frame.payload, frame.file);
    Check(sent >= static_cast<ssize_t>(sizeof frame.header), "sendmsg");
    sent -= sizeof frame.header;
    Check(sent == static_cast<ssize_t>(frame.payload.size()), "a blocking sendmsg of a part");
  }

  // False at the end of the stream.
  bool Receive(RawFrame& frame) {
    frame.file = -1;
    // One frame is mostly as large as the one before: asking for that much takes one call and
    // leaves the next alone.
    size_t whole = whole_;
    size_t have = 0;
    while (have < whole) {
      if (buffer_.size() < whole) buffer_.resize(whole);
      const ssize_t got =
          RawReceive(socket_, std::span(buffer_).subspan(have, whole - have), frame.file);
      if (got == 0) return false;
      Check(got > 0, "recvmsg");
      have += static_cast<size_t>(got);
      if (have < sizeof frame.header) continue;
      memcpy(&frame.header, buffer_.data(), sizeof frame.header);
      whole = sizeof frame.header + frame.header.size;
      Check(have <= whole, "frames shall not shrink while others wait behind them");
    }
    whole_ = whole;
    frame.payload = std::span(buffer_).subspan(sizeof frame.header, frame.header.size);
    return true;
  }

 private:
  int socket_;
  std::vector<char> buffer_;
  size_t whole_ = sizeof(RawHeader);
};

// Waits for its replies in recvmsg. Null for more than it can have under way: small calls in a
// pipeline could wait for each other.
std::unique_ptr<Client> ConnectBlocking(const std::string& endpoint, const Shape& shape);

}  // namespace bench
