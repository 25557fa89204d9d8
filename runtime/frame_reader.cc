#include "runtime/frame_reader.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "lwmsg/internal/secure_wipe.h"
#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/limit_hits.h"

namespace lwmsg::internal {
namespace {

uint32_t ReadLittleEndian(std::span<const std::byte> bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<uint32_t>(bytes[i]);
  return value;
}

Status Malformed(std::string text) { return Status(StatusCode::kMalformed, std::move(text)); }

}  // namespace

void FrameReader::Drop() {
  // A frame that was never whole may be a secret; one that was delivered is not here any more.
  SecureWipe(body_.begin(), std::min(body_size_, body_.asBytes().size()));
  body_ = nullptr;
  input_ = {};
  std::vector<OsHandle> rest;
  Insist([&] { rest.reserve(handles_.size()); });
  while (!handles_.empty()) rest.push_back(handles_.TakeFront());
  CloseLater(std::move(rest), account_);
}

FrameReader::Space FrameReader::SpaceFor(std::span<std::byte> shared) {
  return {header_size_ == kFrameHeaderBytes ? BodyRest() : std::span<std::byte>(), shared};
}

void FrameReader::Add(const Space& space, size_t size, std::vector<OsHandle> handles) {
  const size_t in_frame = std::min(size, space.frame.size());
  body_size_ += in_frame;
  input_ = space.shared.first(size - in_frame);
  if (handles.empty()) return;
  Insist([&] { handles_.MakeRoom(handles.size()); });
  if (account_) account_->Hold(handles.size());
  if (!at_boundary()) late_handles_ += handles.size();
  for (OsHandle& handle : handles) handles_.push_back(std::move(handle));
}

Result<std::optional<Frame>> FrameReader::Next() {
  while (true) {
    if (header_size_ < kFrameHeaderBytes) {
      header_size_ += Take(std::span(header_).subspan(header_size_));
      if (header_size_ < kFrameHeaderBytes) break;
      if (Status status = ParseHeader(); !status.ok()) return Error(std::move(status));
    }
    const std::span<std::byte> unread = input_;
    const size_t taken = Take(BodyRest());
    SecureWipe(unread.data(), taken);
    body_size_ += taken;
    if (!BodyRest().empty()) break;
    auto frame = records_ != nullptr ? FinishWithRecords() : FinishBeside();
    if (!frame || *frame) return frame;
    if (header_size_ != 0) break;
  }
  if (Status status = CheckSurplus(); !status.ok()) return Error(std::move(status));
  return std::optional<Frame>();
}

Result<std::optional<Frame>> FrameReader::FinishBeside() {
  // More may belong to a frame behind this one, if one has begun.
  const bool surplus = input_.empty() && handles_.size() > handle_count_;
  const size_t in_time = handles_.size() - late_handles_;
  if (in_time < handle_count_ && in_time < handles_.size()) return Error(TooLate());
  if (handles_.size() < handle_count_ || surplus) {
    return Error(Malformed("frame counts " + std::to_string(handle_count_) + " OS handles, but " +
                           std::to_string(handles_.size()) + " came with it"));
  }
  std::vector<OsHandle> handles;
  handles.reserve(handle_count_);
  for (size_t i = 0; i < handle_count_; ++i) handles.push_back(handles_.TakeFront());
  Frame frame{kj::mv(body_), ReceivedHandles(std::move(handles), account_)};
  late_handles_ = 0;  // The next frame has not begun before this read.
  header_size_ = 0;
  ++frames_;
  return std::optional(std::move(frame));
}

Result<std::optional<Frame>> FrameReader::FinishWithRecords() {
  auto& bytes = records_->bytes;
  const size_t before = bytes.size();
  bytes.resize(handle_count_ * kHandleRecordBytes);
  const size_t taken = Take(std::span(bytes).subspan(before));
  if (before + taken < bytes.size()) {
    bytes.resize(before + taken);
    return std::optional<Frame>();
  }
  std::vector<HandleRecord> records;
  records.reserve(handle_count_);
  for (size_t i = 0; i < handle_count_; ++i) {
    records.push_back(
        ParseRecord(std::span(bytes).subspan(i * kHandleRecordBytes).first<kHandleRecordBytes>()));
  }
  bytes.clear();
  header_size_ = 0;
  ++frames_;
  if (body_.size() == 0) {
    if (Status status = records_->Control(records); !status.ok()) return Error(std::move(status));
    return std::optional<Frame>();
  }
  Frame frame{kj::mv(body_), {}};
  if (!records.empty()) {
    auto handles = records_->Receive(records);
    if (!handles) return Error(std::move(handles).error());
    if (account_) account_->Hold(handles->size());
    frame.handles = ReceivedHandles(std::move(*handles), account_);
  }
  return std::optional(std::move(frame));
}

size_t FrameReader::Take(std::span<std::byte> to) {
  const size_t size = std::min(to.size(), input_.size());
  if (size != 0) std::memcpy(to.data(), input_.data(), size);
  input_ = input_.subspan(size);
  return size;
}

Status FrameReader::ParseHeader() {
  const std::span<const std::byte> header(header_);
  if (std::memcmp(header.data(), kFrameMagic.data(), kFrameMagic.size() - 1) != 0) {
    return Malformed("these bytes are no lwmsg frame; is the peer an lwmsg program?");
  }
  if (header[3] != std::byte{kFrameMagic[3]}) {
    return Malformed(
        "the peer speaks layout version " + std::to_string(std::to_integer<int>(header[3])) +
        ", this side layout version " + std::to_string(kFrameMagic[3]) + "; update the older side");
  }
  const uint64_t bytes = uint64_t{8} * ReadLittleEndian(header.subspan(4, 4));
  handle_count_ = ReadLittleEndian(header.subspan(8, 2));
  for (std::byte reserved : header.subspan(10)) {
    if (reserved != std::byte{0}) return Malformed("reserved bytes of a frame header are not zero");
  }
  if (bytes == 0 && (records_ == nullptr || handle_count_ == 0)) {
    return Malformed("frame without a message");
  }
  if (bytes > max_bytes_) {
    return Malformed("frame of " + std::to_string(bytes) + " bytes; the limit is " +
                     std::to_string(max_bytes_) + ", " + HitLimit(Limit::kMaxFrameBytes));
  }
  if (handle_count_ > max_handles_) {
    return Malformed("frame with " + std::to_string(handle_count_) + " OS handles; the limit is " +
                     std::to_string(max_handles_) + ", " + HitLimit(Limit::kMaxFrameHandles));
  }
  // Not touched before the bytes come, so a false promise costs address space, not memory.
  body_ = NewWords(bytes / 8);
  body_size_ = 0;
  return Status();
}

std::span<std::byte> FrameReader::BodyRest() {
  return std::as_writable_bytes(std::span(body_.begin(), body_.size())).subspan(body_size_);
}

Status FrameReader::TooLate() const {
  return Malformed(std::to_string(late_handles_) +
                   " OS handles came in the middle of a frame, not with its first byte");
}

Status FrameReader::CheckSurplus() const {
  if (!at_boundary() && late_handles_ != 0) return TooLate();
  // What is left belongs to the frame under way. While its count is not known, any allowed count
  // may be.
  const size_t allowed = header_size_ == kFrameHeaderBytes ? handle_count_
                         : header_size_ != 0               ? max_handles_
                                                           : 0;
  if (handles_.size() <= allowed) return Status();
  return Malformed(std::to_string(handles_.size()) + " OS handles came where at most " +
                   std::to_string(allowed) + " belong to a frame");
}

}  // namespace lwmsg::internal
