#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "lwmsg/limits.h"
#include "lwmsg/token.h"
#include "lwmsg/transport.h"
#include "runtime/frame_reader.h"
#include "runtime/io_loop.h"
#include "runtime/send_queue.h"

namespace lwmsg::internal {

// Which server of an endpoint a client takes, in the words of ClientOptions.
struct WantedServer {
  std::optional<uint32_t> euid = {};
  bool any_server = false;
  bool any_folder = false;
};

// Frames to and from one peer over one socket or pipe: the only place that reads and writes it.
// Never blocks but in a Read that shall, never calls back. Each platform has one.
class FrameStream {
 public:
  virtual ~FrameStream() = default;

  // One attempt to connect, for a stream that was made for an endpoint; also sees who the server
  // is, before anything is sent. False: the server is busy, try again later. Error: kUnavailable or
  // kNotFound if there is no server, kPermissionDenied.
  virtual Result<bool> Connect() = 0;
  // Waits for what Read or Write were blocked by. The stream outlives it.
  virtual Result<std::unique_ptr<IoLoop::Watch>> MakeWatch(IoLoop& loop,
                                                           IoLoop::ReadyCallback callback) = 0;

  enum class Progress { kSome, kBlocked, kEnd };
  // Reads once. kSome: ask Next. Error: kUnavailable, kMalformed (handles were lost). If it
  // `waits`, and can_wait_in_read(): until there is something, for at most kLongestRead.
  virtual Result<Progress> Read(std::span<std::byte> shared, bool waits) = 0;
  virtual bool can_wait_in_read() const { return false; }
  // As FrameReader::Next.
  Result<std::optional<Frame>> Next() { return reader_.Next(); }
  size_t last_read_size() const { return last_read_size_; }
  // True if the last read may have left something behind.
  bool last_read_was_full() const { return last_read_was_full_; }
  bool at_boundary() const { return reader_.at_boundary(); }
  size_t begun() const { return reader_.begun(); }
  size_t waiting_handles() const { return reader_.waiting_handles(); }
  uint64_t frames() const { return reader_.frames(); }
  size_t under_way() const { return reader_.under_way(); }

  void Queue(OutgoingMessage message) { queue_.Add(std::move(message)); }
  // Writes what the kernel takes. kEnd: all is written; kSome: there is one Unsent. On an error
  // what was queued is dropped; kUnavailable: the peer reads no more, but may have written.
  virtual Result<Progress> Write() = 0;
  Transport::Queued queued() const { return {queue_.bytes(), queue_.size(), queue_.handles()}; }
  // A message that Write found cannot be sent to this peer at all, and why; those behind it go on.
  struct Unsent {
    OutgoingMessage message;
    Status reason;
  };
  std::unique_ptr<Unsent> TakeUnsent() { return std::exchange(unsent_, nullptr); }

  // What was sent arrives only if the peer's answers are still read.
  virtual bool awaits_peer() const { return false; }

  // As FrameReader::CountHandlesIn, and with them what else must be closed later on the peer's
  // account.
  void CountHandlesIn(const std::shared_ptr<HandleAccount>& account) {
    account_ = account;
    reader_.CountHandlesIn(account);
  }

  // As Transport::TakeHandles.
  virtual void TakeHandles(bool /*takes*/) {}

  // The peer writes no more, though what it wrote may not be read yet. Not known everywhere.
  virtual bool hung_up() const { return false; }
  virtual void HangUp() = 0;
  // After HangUp: what was not sent and what did not come whole goes, with its OS handles.
  void DropRest() {
    queue_.Clear();
    reader_.Drop();
  }
  // See Transport::peer.
  virtual const Token& peer() const = 0;

 protected:
  explicit FrameStream(const Limits& limits, HandleRecords* records = nullptr)
      : reader_(limits, records) {}

  // What will not come to a frame.
  void CloseLaterForPeer(std::vector<OsHandle> handles) {
    if (account_) account_->Hold(handles.size());
    CloseLater(std::move(handles), account_);
  }

  FrameReader reader_;
  SendQueue queue_;
  std::shared_ptr<HandleAccount> account_;
  size_t last_read_size_ = 0;
  bool last_read_was_full_ = false;
  std::unique_ptr<Unsent> unsent_;
};

}  // namespace lwmsg::internal
