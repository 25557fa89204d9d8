#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>
#include <schema/wire.capnp.h>

#include <array>
#include <new>
#include <optional>
#include <vector>

#include "lwmsg/handles.h"
#include "lwmsg/internal/block_pool.h"
#include "lwmsg/internal/message_memory.h"
#include "lwmsg/internal/payload_type.h"
#include "lwmsg/internal/secure_wipe.h"
#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/transport.h"

namespace lwmsg::internal {

// "LWM" and the layout version, as the first four bytes of a frame.
constexpr std::array<kj::byte, 4> kFrameMagic = {'L', 'W', 'M', 1};
constexpr size_t kFrameHeaderBytes = 16;

// Of a frame with one segment: frame header and segment table.
static_assert(kHeaderRoomWords == kFrameHeaderBytes / sizeof(capnp::word) + 1);

// Knows the memory that it took beyond the first segment, so that it can be wiped. Zeroes what it
// used of the first when it goes.
class MessageBuilder final : public capnp::MallocMessageBuilder {
 public:
  explicit MessageBuilder(kj::ArrayPtr<capnp::word> first) : MallocMessageBuilder(first) {}

  kj::ArrayPtr<capnp::word> allocateSegment(uint32_t minimum_size) override {
    // Without memory Cap'n Proto throws something of its own.
    try {
      auto segment = MallocMessageBuilder::allocateSegment(minimum_size);
      if (has_first_) {
        further_.push_back(segment);
        words_before_ = sizeInWords();
      }
      has_first_ = true;
      return segment;
    } catch (const kj::Exception&) {
      throw std::bad_alloc();
    }
  }

  // Without memory for its own list of segments Cap'n Proto (0.9) is left with one that is too
  // short, beyond which it then writes (BuilderArena::addSegmentInternal). With a further segment,
  // of a word of others, the list is right again. Before anything is asked of all segments: also a
  // message that is sent may be so, if who filled it went on without what there was no memory for.
  void Mend() {
    static constexpr std::array<capnp::word, 1> kNothing{};
    if (further_.empty() || sizeInWords() > words_before_) return;
    Insist([this] {
      getOrphanage().referenceExternalData(
          {reinterpret_cast<const kj::byte*>(kNothing.data()), sizeof(kNothing)});
    });
  }

  // What the message took of memory that is not the user's.
  size_t OwnWords() {
    size_t words = getSegmentsForOutput()[0].size();
    for (auto segment : further_) words += segment.size();
    return words;
  }

  // Not the segments for output: those may be memory of others, which the user refers to.
  void WipeFurther() {
    for (auto segment : further_) SecureWipe(segment.begin(), segment.asBytes().size());
  }

 private:
  bool has_first_ = false;
  size_t words_before_ = 0;  // The last further segment.
  std::vector<kj::ArrayPtr<capnp::word>> further_;
};

// A burst of calls uses that many; what is more goes back to the system.
constexpr size_t kPooledMessages = 256;

struct OutgoingState : Pooled<OutgoingState, kPooledMessages> {
  explicit OutgoingState(MessageSizes::Kind message_kind)
      : kind(message_kind), block(MessageSizes::Expected(kind)), builder(block.segment()) {}
  ~OutgoingState() {
    IfMemory([this] { builder.Mend(); });
    if (kind != 0) NoteSize();
    if (!sensitive) return;
    builder.WipeFurther();
    SecureWipe(header.data(), header.size());
  }
  void NoteSize();

  // 0: one of the few that are always small.
  const MessageSizes::Kind kind;

  // May hold a secret, and until its type is known any message may: its memory is wiped when it
  // goes. The first segment always is, by the builder.
  bool sensitive = true;
  // The header and, behind it, the first segment: most messages are one piece on the wire.
  ZeroedBlock block;
  MessageBuilder builder;
  wire::Envelope::Builder envelope = builder.initRoot<wire::Envelope>();
  std::optional<capnp::AnyPointer::Builder> payload;
  OutgoingHandles handles;
  PayloadNames names;

  // Made by OutgoingMessage::Pieces: of a message that is `block`, and of others.
  kj::ArrayPtr<const kj::byte> only_piece;
  std::vector<kj::byte> header;
  std::vector<kj::ArrayPtr<const kj::byte>> pieces;
};

struct IncomingState : Pooled<IncomingState, kPooledMessages> {
  IncomingState(Frame frame, const capnp::ReaderOptions& limited);
  ~IncomingState() {
    if (sensitive) SecureWipe(words.begin(), words.asBytes().size());
  }

  // Error: kResourceExhausted if this has OS handles, and the messages of its user's peers hold too
  // many.
  Status CheckHeldHandles() const;

  // As OutgoingState's.
  bool sensitive = true;
  Received received;

  // Reading is limited while the message is checked, so that a small message cannot cost much work
  // (many pointers that share one target), and not limited afterwards, so that a handler may read
  // a field as often as it likes.
  kj::Array<capnp::word> words;
  IncomingHandles handles;
  PayloadNames names;
  capnp::FlatArrayMessageReader checked;
  capnp::FlatArrayMessageReader unlimited;
  // For what the check of the payload does not cover (hello, goodbye), read `checked`.
  std::optional<wire::Envelope::Reader> envelope;
};

// The frame as it would be received: for a transport inside the process.
Frame ToFrame(OutgoingMessage message);

}  // namespace lwmsg::internal
