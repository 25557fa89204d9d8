#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <schema/wire.capnp.h>

#include <array>
#include <optional>
#include <vector>

#include "lwmsg/handles.h"
#include "lwmsg/internal/payload_type.h"
#include "lwmsg/transport.h"

namespace lwmsg::internal {

// "LWM" and the layout version, as the first four bytes of a frame.
constexpr std::array<kj::byte, 4> kFrameMagic = {'L', 'W', 'M', 1};
constexpr size_t kFrameHeaderBytes = 16;

// Cap'n Proto wants the first segment zeroed and zeroes what it used when it goes. Most calls fit,
// so that a message is one block of memory.
constexpr size_t kFirstSegmentWords = 128;

struct OutgoingState {
  OutgoingState() : builder(kj::arrayPtr(first_segment.data(), first_segment.size())) {}

  std::array<capnp::word, kFirstSegmentWords> first_segment{};
  capnp::MallocMessageBuilder builder;
  wire::Envelope::Builder envelope = builder.initRoot<wire::Envelope>();
  std::optional<capnp::AnyPointer::Builder> payload;
  OutgoingHandles handles;
  std::vector<ObjectName> objects;

  // Made by OutgoingMessage::Pieces.
  std::vector<kj::byte> header;
  std::vector<kj::ArrayPtr<const kj::byte>> pieces;
};

struct IncomingState {
  IncomingState(Frame frame, const capnp::ReaderOptions& limited);

  // Reading is limited while the message is checked, so that a small message cannot cost much work
  // (many pointers that share one target), and not limited afterwards, so that a handler may read
  // a field as often as it likes.
  kj::Array<capnp::word> words;
  IncomingHandles handles;
  std::vector<ObjectName> objects;
  capnp::FlatArrayMessageReader checked;
  capnp::FlatArrayMessageReader unlimited;
  // For what the check of the payload does not cover (hello, goodbye), read `checked`.
  std::optional<wire::Envelope::Reader> envelope;
};

}  // namespace lwmsg::internal
