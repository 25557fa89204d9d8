#pragma once

#include <capnp/serialize.h>
#include <schema/wire.capnp.h>

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"

namespace lwmsg::test {

// One frame that a raw peer read.
struct RawFrame {
  explicit RawFrame(std::string_view body);

  wire::Envelope::Reader envelope() const { return reader->getRoot<wire::Envelope>(); }

  kj::Array<capnp::word> words;
  std::unique_ptr<capnp::FlatArrayMessageReader> reader;
};

// A peer on a plain socket that writes whatever it is told to. Never blocks. What it reads it
// checks as frames; OS handles that come with them are closed.
class RawPeer {
 public:
  explicit RawPeer(OsHandle socket);
  // Connects to a socket file.
  static RawPeer ConnectTo(const std::string& path);

  // Bytes, and descriptors that ride on the first of them. False if the other side has hung up.
  bool Write(std::string_view bytes, std::span<const OsHandle> handles = {});
  void Close() { socket_.Close(); }
  // Reads what is there.
  void Read();

  // The other side has hung up, and all that it wrote was read.
  bool ended() const { return ended_; }
  const std::deque<RawFrame>& frames() const { return frames_; }
  // The status of the last frame, if that is a goodbye.
  std::optional<Status> Goodbye() const;
  // The status of the reply to that call, if it has come.
  std::optional<Status> ReplyTo(uint32_t id) const;

 private:
  OsHandle socket_;
  std::string unread_;
  std::deque<RawFrame> frames_;
  bool ended_ = false;
};

// `count` owners of some open file.
std::vector<OsHandle> SomeFiles(size_t count);

}  // namespace lwmsg::test
