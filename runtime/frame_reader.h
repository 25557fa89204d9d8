#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "lwmsg/internal/fifo.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/limits.h"
#include "lwmsg/transport.h"
#include "runtime/handle_record.h"

namespace lwmsg::internal {

// Turns received bytes and OS handles into whole frames, and refuses what breaks the framing of
// schema/wire.capnp. No I/O of its own. Keeps no buffer between frames; after an error it is done.
class FrameReader {
 public:
  // OS handles come beside the bytes, with Add, unless `records` is given: then among them, as
  // records. It outlives this.
  explicit FrameReader(const Limits& limits, HandleRecords* records = nullptr)
      : max_bytes_(limits.max_frame_bytes),
        max_handles_(limits.max_frame_handles),
        records_(records) {}
  ~FrameReader() { Drop(); }
  FrameReader(FrameReader&&) noexcept = default;
  FrameReader& operator=(FrameReader&&) noexcept = default;

  // The account that holds the handles that come from now on.
  void CountHandlesIn(std::shared_ptr<HandleAccount> account) { account_ = std::move(account); }

  // Where the next bytes shall be read to: the rest of the frame under way, if its size is known,
  // so that large ones are not copied; and what comes behind it, to `shared`.
  struct Space {
    std::span<std::byte> frame;
    std::span<std::byte> shared;
  };
  Space SpaceFor(std::span<std::byte> shared);

  // `size` bytes were read to `space`, and `handles` with them. `space.shared` stays as it is until
  // Next returned no frame; what went into a frame is wiped there, as it may be a secret and the
  // buffer outlives the message.
  void Add(const Space& space, size_t size, std::vector<OsHandle> handles);

  // The next whole frame; nothing if more must be read first. Error: kMalformed.
  Result<std::optional<Frame>> Next();

  // What is not whole goes, with its handles; nothing more is read.
  void Drop();

  // The bytes of the frame under way, once its header is there; 0: none is.
  size_t under_way() const { return header_size_ == kFrameHeaderBytes ? 8 * body_.size() : 0; }
  // False in the middle of a frame.
  bool at_boundary() const { return header_size_ == 0; }
  // Bytes that are there of the frame under way.
  size_t begun() const {
    return header_size_ < kFrameHeaderBytes ? header_size_ : header_size_ + body_size_;
  }
  // Handles of the frame under way.
  size_t waiting_handles() const { return handles_.size(); }
  // How many were whole so far.
  uint64_t frames() const { return frames_; }

 private:
  // Moves from the unread input to `to`; returns how much.
  size_t Take(std::span<std::byte> to);
  Status ParseHeader();
  std::span<std::byte> BodyRest();
  // The frame under way, whose body is complete. Nothing: it was none, or its handles are missing.
  Result<std::optional<Frame>> FinishBeside();
  Result<std::optional<Frame>> FinishWithRecords();
  Status CheckSurplus() const;
  Status TooLate() const;

  uint32_t max_bytes_;
  uint16_t max_handles_;
  HandleRecords* records_;
  std::shared_ptr<HandleAccount> account_;  // Null: they are not counted.
  std::span<std::byte> input_;
  std::array<std::byte, kFrameHeaderBytes> header_{};
  uint16_t header_size_ = 0;
  uint16_t handle_count_ = 0;  // Of the frame under way, once its header is complete.
  kj::Array<capnp::word> body_;
  size_t body_size_ = 0;  // In bytes, as read so far.
  uint64_t frames_ = 0;
  Fifo<OsHandle> handles_;   // In order of arrival, not yet given to a frame.
  size_t late_handles_ = 0;  // Of these, the last: read after the frame under way had begun.
};

}  // namespace lwmsg::internal
