#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "lwmsg/limits.h"
#include "lwmsg/os_handle.h"
#include "lwmsg/token.h"
#include "lwmsg/transport.h"
#include "runtime/frame_reader.h"
#include "runtime/send_queue.h"

namespace lwmsg::internal {

// One connected Unix socket: the only place that reads and writes it. Never blocks, never calls
// back.
class SocketStream {
 public:
  explicit SocketStream(const Limits& limits) : reader_(limits) {}

  // The socket to use; not connected yet, perhaps: then call Connected once it is.
  void set_socket(OsHandle socket) { socket_ = std::move(socket); }
  const OsHandle& socket() const { return socket_; }
  void HangUp() { socket_.Close(); }
  // Finds out who the peer is, as far as that can be known before its first message.
  void Connected();
  // See Transport::peer.
  const Token& peer() const { return peer_; }

  enum class Progress { kSome, kBlocked, kEnd };
  // Reads once. kSome: ask Next. Error: kUnavailable, kMalformed (handles were lost).
  Result<Progress> Read(std::span<std::byte> shared);
  // As FrameReader::Next.
  Result<std::optional<Frame>> Next() { return reader_.Next(); }
  // True if the last read may have left something behind.
  bool last_read_was_full() const { return last_read_was_full_; }
  bool at_boundary() const { return reader_.at_boundary(); }

  void Queue(OutgoingMessage message) { queue_.Add(std::move(message)); }
  // Writes what the kernel takes. kEnd: all is written. On an error what was queued is dropped;
  // kUnavailable: the peer reads no more, but may have written.
  Result<Progress> Write();
  size_t queued_bytes() const { return queue_.bytes(); }

 private:
  void TakeControl(const msghdr& header, std::vector<OsHandle>& handles);

  OsHandle socket_;
  FrameReader reader_;
  SendQueue queue_;
  Token peer_;
  bool last_read_was_full_ = false;
  bool wants_credentials_ = false;
  bool sent_credentials_ = false;
};

}  // namespace lwmsg::internal
