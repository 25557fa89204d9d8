#include "tests/hostile/raw_frames.h"

#include <capnp/serialize.h>

namespace lwmsg::test {
namespace {

// Pointers of capnproto.org/encoding.html; offsets are in words from the end of the pointer.
uint64_t ListOfStructsPointer(int32_t offset, uint32_t words) {
  return (static_cast<uint32_t>(offset) << 2 | 1U) | uint64_t{words << 3 | 7U} << 32;
}

constexpr uint32_t kItemWords = 3;  // Item has three pointers and no data.

uint64_t ItemTag(uint32_t count) { return uint64_t{count} << 2 | uint64_t{kItemWords} << 48; }

void AppendWord(std::string& bytes, uint64_t word) {
  bytes.resize(bytes.size() + 8);
  PutNumber(bytes, bytes.size() - 8, word);
}

// Frame header and segment table after the segment has grown.
void SetSegmentWords(std::string& frame) {
  const auto words = static_cast<uint32_t>((frame.size() - kHeaderBytes) / 8);
  PutNumber(frame, 4, words);
  PutNumber(frame, kTableOffset + 4, words - 1);
}

}  // namespace

std::string FrameAround(std::string_view body, uint16_t handles) {
  std::string frame("LWM\x01", 4);
  frame.resize(kHeaderBytes);
  PutNumber(frame, 4, static_cast<uint32_t>(body.size() / 8));
  PutNumber(frame, 8, handles);
  return frame.append(body);
}

std::string EnvelopeFrame(const std::function<void(wire::Envelope::Builder)>& fill,
                          uint16_t handles) {
  capnp::MallocMessageBuilder message(16 << 10);
  fill(message.initRoot<wire::Envelope>());
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asChars();
  return FrameAround({bytes.begin(), bytes.size()}, handles);
}

std::string HelloFrame(const HelloFields& fields) {
  return EnvelopeFrame([&](auto envelope) {
    auto hello = envelope.initHello();
    hello.setMaxFrameBytes(fields.max_frame_bytes);
    hello.setMaxFrameHandles(fields.max_frame_handles);
    hello.setMaxCalls(fields.max_calls);
  });
}

std::string CallFrame(uint32_t id, uint16_t method,
                      const std::function<void(capnp::AnyPointer::Builder)>& fill,
                      uint16_t handles) {
  return EnvelopeFrame(
      [&](auto envelope) {
        auto call = envelope.initCall();
        call.setId(id);
        call.setInterfaceId(capnp::typeId<sample::Sample>());
        call.setMethod(method);
        if (fill) fill(call.getParams());
      },
      handles);
}

std::string BlobFrame(uint32_t id, uint32_t size) {
  return CallFrame(id, kBlob, [size](auto params) {
    params.template initAs<sample::Sample::BlobParams>().setSize(size);
  });
}

std::string EchoFrame(uint32_t id, const std::string& text) {
  return CallFrame(id, kEcho, [&](auto params) {
    params.template initAs<sample::Sample::EchoParams>().setText(text);
  });
}

std::string GiveFrame(uint32_t id, uint16_t first_slot, uint16_t second_slot, uint16_t handles) {
  return CallFrame(
      id, kGive,
      [&](auto params) {
        auto give = params.template initAs<sample::Sample::GiveParams>();
        give.getFirst().setSlot(first_slot);
        give.getSecond().setSlot(second_slot);
      },
      handles);
}

std::string CollectFrame(uint32_t id, const std::vector<uint32_t>& levels) {
  std::string frame = CallFrame(id, kCollect, [](auto params) {
    params.template initAs<sample::Sample::CollectParams>().initItems(1);
  });
  // The last word is the `children` of the one item.
  std::vector<size_t> children = {frame.size() - 8};
  for (const uint32_t count : levels) {
    for (const size_t place : children) {
      const auto offset = static_cast<int32_t>((frame.size() - place) / 8 - 1);
      PutNumber(frame, place, ListOfStructsPointer(offset, count * kItemWords));
    }
    children.clear();
    AppendWord(frame, ItemTag(count));
    for (uint32_t i = 0; i < count; ++i) {
      for (uint32_t word = 0; word < kItemWords; ++word) AppendWord(frame, 0);
      children.push_back(frame.size() - 8);
    }
  }
  SetSegmentWords(frame);
  return frame;
}

std::string ReplyFrame(uint32_t id, const std::function<void(capnp::AnyPointer::Builder)>& fill,
                       uint16_t handles) {
  return EnvelopeFrame(
      [&](auto envelope) {
        auto reply = envelope.initReply();
        reply.setId(id);
        if (fill) fill(reply.getResults());
      },
      handles);
}

std::string EchoReplyFrame(uint32_t id, const std::string& text) {
  return ReplyFrame(id, [&](auto results) {
    results.template initAs<sample::Sample::EchoResults>().setText(text);
  });
}

std::string ErrorReplyFrame(uint32_t id, uint16_t status, const std::string& message) {
  return EnvelopeFrame([&](auto envelope) {
    auto reply = envelope.initReply();
    reply.setId(id);
    reply.setStatus(status);
    reply.setMessage(message);
  });
}

std::string CancelFrame(uint32_t id) {
  return EnvelopeFrame([&](auto envelope) { envelope.initCancel().setId(id); });
}

std::string GoodbyeFrame(uint16_t status, const std::string& message) {
  return EnvelopeFrame([&](auto envelope) {
    auto goodbye = envelope.initGoodbye();
    goodbye.setStatus(status);
    goodbye.setMessage(message);
  });
}

void BreakPointer(std::string& frame, size_t words_from_end) {
  // A list of 800 bytes, 100,000 words further on.
  PutNumber(frame, frame.size() - 8 * words_from_end,
            (uint64_t{100'000} << 2 | 1U) | (uint64_t{800} << 3 | 2U) << 32);
}

}  // namespace lwmsg::test
