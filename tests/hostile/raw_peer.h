#pragma once

#include <capnp/serialize.h>
#include <schema/wire.capnp.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"
#include "tests/support/raw_stream.h"

namespace lwmsg::test {

// One frame that a raw peer read.
struct RawFrame {
  explicit RawFrame(std::string_view body);

  wire::Envelope::Reader envelope() const { return reader->getRoot<wire::Envelope>(); }

  kj::Array<capnp::word> words;
  std::unique_ptr<capnp::FlatArrayMessageReader> reader;
};

// A peer on a plain connection that writes whatever it is told to. Never blocks. What it reads it
// checks as frames; OS handles that come with them are not taken.
class RawPeer {
 public:
  explicit RawPeer(RawStream stream) : stream_(std::move(stream)) {}
  // To a server that has room.
  static RawPeer ConnectTo(const std::string& endpoint);

  // False if the other side has hung up.
  bool Write(std::string_view bytes) { return stream_.Write(bytes); }
  void Close() { stream_.Close(); }
  // Reads what is there.
  void Read();

  // The other side has hung up, and all that it wrote was read.
  bool ended() const { return ended_; }
  const std::deque<RawFrame>& frames() const { return frames_; }
  // From now on, what handles are on Windows is read too: so many bytes behind each frame's body
  // for each handle that it counts. Frames without a body are only this.
  void ReadRecordsOf(size_t bytes) { record_bytes_ = bytes; }
  const std::string& records() const { return records_; }
  // The status of the last frame, if that is a goodbye.
  std::optional<Status> Goodbye() const;
  // The status of the reply to that call, if it has come.
  std::optional<Status> ReplyTo(uint32_t id) const;
  const OsHandle& end() const { return stream_.end(); }

 private:
  RawStream stream_;
  std::string unread_;
  size_t record_bytes_ = 0;
  std::string records_;
  std::deque<RawFrame> frames_;
  bool ended_ = false;
};

// `count` owners of some open file.
std::vector<OsHandle> SomeFiles(size_t count);

}  // namespace lwmsg::test
