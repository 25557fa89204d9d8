#include "tests/hostile/raw_peer.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/hostile/raw_frames.h"
#include "tests/support/system.h"

namespace lwmsg::test {

RawFrame::RawFrame(std::string_view body)
    : words(kj::heapArray<capnp::word>(body.size() / sizeof(capnp::word))) {
  std::memcpy(words.begin(), body.data(), body.size());
  reader = std::make_unique<capnp::FlatArrayMessageReader>(words);
}

RawPeer RawPeer::ConnectTo(const std::string& endpoint) {
  auto stream = RawStream::ConnectTo(endpoint);
  EXPECT_TRUE(stream) << "no room at " << endpoint;
  return RawPeer(stream ? *std::move(stream) : RawStream(OsHandle()));
}

void RawPeer::Read() {
  if (!ended_) ended_ = !stream_.Read(unread_);
  while (unread_.size() >= kHeaderBytes) {
    uint32_t words = 0;
    std::memcpy(&words, unread_.data() + 4, sizeof(words));
    uint16_t handles = 0;
    std::memcpy(&handles, unread_.data() + 8, sizeof(handles));
    const size_t body_end = kHeaderBytes + size_t{8} * words;
    const size_t end = body_end + record_bytes_ * handles;
    if (unread_.size() < end) break;
    const std::string_view unread(unread_);
    if (words != 0) frames_.emplace_back(unread.substr(kHeaderBytes, size_t{8} * words));
    records_ += unread.substr(body_end, end - body_end);
    unread_.erase(0, end);
  }
}

std::optional<Status> RawPeer::Goodbye() const {
  if (frames_.empty() || !frames_.back().envelope().isGoodbye()) return std::nullopt;
  auto goodbye = frames_.back().envelope().getGoodbye();
  return Status(static_cast<StatusCode>(goodbye.getStatus()), goodbye.getMessage());
}

std::optional<Status> RawPeer::ReplyTo(uint32_t id) const {
  for (const RawFrame& frame : frames_) {
    auto envelope = frame.envelope();
    if (!envelope.isReply() || envelope.getReply().getId() != id) continue;
    return Status(static_cast<StatusCode>(envelope.getReply().getStatus()),
                  envelope.getReply().getMessage());
  }
  return std::nullopt;
}

std::vector<OsHandle> SomeFiles(size_t count) {
  std::vector<OsHandle> files;
  for (size_t i = 0; i < count; ++i) files.push_back(OpenNull());
  return files;
}

}  // namespace lwmsg::test
