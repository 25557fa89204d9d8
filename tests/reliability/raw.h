#pragma once

#include <reliability.lwmsg.h>

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lwmsg/os_handle.h"
#include "tests/hostile/raw_frames.h"
#include "tests/hostile/raw_peer.h"

// Connections that are used without lwmsg, for attackers and for many at a time.
namespace lwmsg::test {

// Ordinals of Work.
enum WorkMethod : uint16_t {
  kWorkCount = 0,
  kWorkKeep = 1,
  kWorkNote = 2,
  kWorkBlob = 3,
  kWorkTake = 4,
  kWorkWhoami = 5,
};

std::string WorkFrame(uint32_t id, uint16_t method,
                      const std::function<void(capnp::AnyPointer::Builder)>& fill = {},
                      uint16_t handles = 0);
// Of count, for client 0.
std::string CountFrame(uint32_t id);
std::string WorkBlobFrame(uint32_t id, uint32_t size);
// Of keep or note, whose data has that size.
std::string DataFrame(uint32_t id, uint16_t method, uint32_t size);
std::string TakeFrame(uint32_t id, uint16_t handles);

// A connected socket; waits for a place in the backlog for a second. Not valid: nobody listens.
OsHandle ConnectRaw(const std::string& endpoint);
// Blocks. False if the other side has gone.
bool Send(const OsHandle& socket, std::string_view bytes);
// `handle` as many times. False if the other side has gone.
bool SendWith(const OsHandle& socket, std::string_view bytes, int handle, size_t times);

// Reads whole frames from a socket that somebody else owns.
class FrameSource {
 public:
  explicit FrameSource(const OsHandle& socket) : socket_(socket) {}
  // Nothing if the other side has gone, or says nothing for so long.
  std::optional<RawFrame> Next(std::chrono::milliseconds longest = std::chrono::seconds(30));
  // The next reply, whatever comes before. Nothing likewise.
  std::optional<RawFrame> NextReply();

 private:
  const OsHandle& socket_;
  std::string unread_;
};

// Says hello, and makes one call. True if it was answered well.
bool GreetAndCall(const OsHandle& socket);

}  // namespace lwmsg::test
