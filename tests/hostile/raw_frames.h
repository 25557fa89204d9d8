#pragma once

#include <capnp/message.h>
#include <sample.lwmsg.h>
#include <schema/wire.capnp.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// Frames made by hand from schema/wire.capnp, so that they can be wrong.
namespace lwmsg::test {

constexpr size_t kHeaderBytes = 16;
// Where the body's parts are in a frame of one segment: table, root pointer, the envelope's data.
constexpr size_t kTableOffset = kHeaderBytes;
constexpr size_t kRootOffset = kTableOffset + 8;
constexpr size_t kEnvelopeOffset = kRootOffset + 8;

// The id of the first call of an lwmsg client, and of the call that follows its reply.
constexpr uint32_t kFirstCallId = 1U << 16;
constexpr uint32_t kSecondCallId = 2U << 16;

// Ordinals of Sample.
enum Method : uint16_t {
  kEcho = 0,
  kGive = 2,
  kNothing = 3,
  kLog = 4,
  kKeep = 5,
  kThrowing = 7,
  kForget = 8,
  kWhoami = 10,
  kBlob = 11,
  kCollect = 12,
  kBlock = 18,
  kExamine = 25,
};

// A number as the bytes of a frame have it.
template <typename T>
void PutNumber(std::string& bytes, size_t offset, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) bytes[offset + i] = static_cast<char>(value >> (8 * i));
}

// A header for `body`, whose size is a multiple of 8.
std::string FrameAround(std::string_view body, uint16_t handles = 0);
// A whole frame of one segment with the envelope that `fill` makes.
std::string EnvelopeFrame(const std::function<void(wire::Envelope::Builder)>& fill,
                          uint16_t handles = 0);

struct HelloFields {
  uint32_t max_frame_bytes = 1 << 20;
  uint16_t max_frame_handles = 16;
  uint32_t max_calls = 128;
};
std::string HelloFrame(const HelloFields& fields = {});

// A call of Sample.
std::string CallFrame(uint32_t id, uint16_t method,
                      const std::function<void(capnp::AnyPointer::Builder)>& fill = {},
                      uint16_t handles = 0);
std::string EchoFrame(uint32_t id, const std::string& text);
// Asks for that many bytes.
std::string BlobFrame(uint32_t id, uint32_t size);
std::string GiveFrame(uint32_t id, uint16_t first_slot, uint16_t second_slot, uint16_t handles);
// Sample.collect whose items are lists in lists: level i has `levels[i]` items, and all items of a
// level have the very same list as their children.
std::string CollectFrame(uint32_t id, const std::vector<uint32_t>& levels);

std::string ReplyFrame(uint32_t id, const std::function<void(capnp::AnyPointer::Builder)>& fill,
                       uint16_t handles = 0);
std::string EchoReplyFrame(uint32_t id, const std::string& text);
std::string ErrorReplyFrame(uint32_t id, uint16_t status, const std::string& message);
std::string CancelFrame(uint32_t id);
std::string GoodbyeFrame(uint16_t status, const std::string& message);

// The pointer that is so many words before the frame's end points far outside.
void BreakPointer(std::string& frame, size_t words_from_end);

}  // namespace lwmsg::test
