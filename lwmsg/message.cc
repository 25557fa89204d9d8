#include "lwmsg/message.h"

#include <kj/exception.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "lwmsg/internal/capnp_text.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/payload_type.h"
#include "lwmsg/limit_hits.h"

namespace lwmsg {
namespace {

template <typename T>
void PutLittleEndian(kj::byte* to, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<kj::byte>(value >> (8 * i));
}

// Of the frame header and the Cap'n Proto segment table (capnproto.org/encoding.html,
// "Serialization Over a Stream").
size_t HeaderBytes(size_t segments) {
  return internal::kFrameHeaderBytes + (4 * (segments + 1) + 7) / 8 * 8;
}

// Both for `segments`, to memory that is zero or was written for the same message.
void WriteHeader(std::span<kj::byte> header, size_t handles,
                 kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) {
  size_t words = (header.size() - internal::kFrameHeaderBytes) / 8;
  kj::byte* table = header.data() + internal::kFrameHeaderBytes;
  PutLittleEndian<uint32_t>(table, static_cast<uint32_t>(segments.size() - 1));
  for (auto& segment : segments) {
    table += 4;
    PutLittleEndian<uint32_t>(table, static_cast<uint32_t>(segment.size()));
    words += segment.size();
  }
  std::copy(internal::kFrameMagic.begin(), internal::kFrameMagic.end(), header.begin());
  PutLittleEndian<uint32_t>(header.data() + 4, static_cast<uint32_t>(words));
  PutLittleEndian<uint16_t>(header.data() + 8, static_cast<uint16_t>(handles));
}

// What Cap'n Proto's own stream readers take; its reader of arrays takes any count, and 2^32 as 0.
constexpr uint64_t kMaxSegments = 512;

uint64_t SegmentCount(kj::ArrayPtr<const capnp::word> words) {
  const auto bytes = words.asBytes();
  uint64_t less_one = 0;
  for (size_t i = 0; i < 4 && i < bytes.size(); ++i) less_one |= uint64_t{bytes[i]} << (8 * i);
  return less_one + 1;
}

capnp::ReaderOptions LimitedOptions(size_t words, const Limits& limits) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 8 * words + 1024;
  options.nestingLimit = limits.max_nesting;
  return options;
}

capnp::ReaderOptions UnlimitedOptions(const capnp::ReaderOptions& limited) {
  capnp::ReaderOptions options = limited;
  options.traversalLimitInWords = kj::maxValue;
  return options;
}

}  // namespace

OutgoingMessage::OutgoingMessage() : OutgoingMessage(0) {}
OutgoingMessage::OutgoingMessage(uint64_t kind)
    : state_(std::make_unique<internal::OutgoingState>(kind)) {}
OutgoingMessage::OutgoingMessage(OutgoingMessage&&) noexcept = default;
OutgoingMessage& OutgoingMessage::operator=(OutgoingMessage&&) noexcept = default;
OutgoingMessage::~OutgoingMessage() = default;

OutgoingMessage OutgoingMessage::ForCall(uint64_t interface_id, uint16_t method) {
  OutgoingMessage message(internal::MessageSizes::KindOf(interface_id, method, true));
  auto call = message.state_->envelope.initCall();
  call.setInterfaceId(interface_id);
  call.setMethod(method);
  message.state_->payload = call.getParams();
  return message;
}

OutgoingMessage OutgoingMessage::ForReply(uint64_t interface_id, uint16_t method) {
  OutgoingMessage message(internal::MessageSizes::KindOf(interface_id, method, false));
  message.state_->payload = message.state_->envelope.initReply().getResults();
  return message;
}

OutgoingMessage OutgoingMessage::ForItem(uint64_t interface_id, uint16_t method) {
  OutgoingMessage message(internal::MessageSizes::KindOf(interface_id, method, false));
  message.state_->payload = message.state_->envelope.initItem().getResults();
  return message;
}

capnp::AnyPointer::Builder OutgoingMessage::payload() { return *state_->payload; }

OutgoingHandles& OutgoingMessage::handles() { return state_->handles; }

Status OutgoingMessage::CheckPayload(const internal::PayloadType& type) {
  state_->sensitive = type.sensitive();
  state_->names = {};
  const bool control =
      std::ranges::any_of(state_->handles.all(), [](auto& own) { return own.ControlsProcess(); });
  if (!type.carries_objects() && !type.has_rules() && !control) return Status();
  Status sound = type.Check(state_->payload->asReader(), state_->handles.all(), state_->names);
  return sound.ok() ? sound : Status(StatusCode::kInvalidArgument, sound.message());
}

const std::vector<internal::ObjectName>& OutgoingMessage::object_names() const {
  return state_->names.objects;
}

kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> OutgoingMessage::Pieces() {
  state_->builder.Mend();
  auto segments = state_->builder.getSegmentsForOutput();
  auto block = state_->block.all();
  constexpr size_t kHeader = internal::kHeaderRoomWords;
  if (segments.size() == 1 && segments[0].begin() == block.begin() + kHeader) {
    auto bytes = block.slice(0, kHeader + segments[0].size()).asBytes();
    WriteHeader(std::span(bytes.begin(), kHeader * sizeof(capnp::word)), state_->handles.size(),
                segments);
    state_->only_piece = bytes;
    return kj::arrayPtr(&state_->only_piece, 1);
  }
  state_->header.assign(HeaderBytes(segments.size()), 0);
  WriteHeader(state_->header, state_->handles.size(), segments);
  auto& pieces = state_->pieces;
  pieces.clear();
  pieces.push_back(kj::arrayPtr(state_->header.data(), state_->header.size()));
  for (auto& segment : segments) pieces.push_back(segment.asBytes());
  return kj::arrayPtr(pieces.data(), pieces.size());
}

size_t OutgoingMessage::ByteSize() {
  state_->builder.Mend();
  auto segments = state_->builder.getSegmentsForOutput();
  size_t bytes = HeaderBytes(segments.size()) - internal::kFrameHeaderBytes;
  for (auto& segment : segments) bytes += segment.asBytes().size();
  return bytes;
}

namespace {

capnp::AnyPointer::Reader PayloadOf(const wire::Envelope::Reader& envelope) {
  switch (envelope.which()) {
    case wire::Envelope::CALL:
      return envelope.getCall().getParams();
    case wire::Envelope::REPLY:
      return envelope.getReply().getResults();
    case wire::Envelope::ITEM:
      return envelope.getItem().getResults();
    default:
      return capnp::AnyPointer::Reader();
  }
}

}  // namespace

namespace internal {

void OutgoingState::NoteSize() {
  const size_t words = builder.OwnWords();
  if (words > kSmallWords || block.all().size() > kSmallWords + kHeaderRoomWords) {
    MessageSizes::Note(kind, words);
  }
}

Frame ToFrame(OutgoingMessage message) {
  Frame frame{NewWords(message.ByteSize() / sizeof(capnp::word)), {}};
  kj::byte* to = frame.words.asBytes().begin();
  size_t skip = kFrameHeaderBytes;
  for (auto piece : message.Pieces()) {
    std::memcpy(to, piece.begin() + skip, piece.size() - skip);
    to += piece.size() - skip;
    skip = 0;
  }
  for (OsHandle& handle : message.handles().all()) frame.handles.push_back(std::move(handle));
  return frame;
}

IncomingState::IncomingState(Frame frame, const capnp::ReaderOptions& limited)
    : received(std::move(frame.received)),
      words(kj::mv(frame.words)),
      handles(std::move(frame.handles)),
      checked(words, limited),
      unlimited(words, UnlimitedOptions(limited)) {}

Status IncomingState::CheckHeldHandles() const {
  const auto& all = handles.account();
  if (!all || !all->over() || handles.size() == 0) return Status();
  return Status(StatusCode::kResourceExhausted,
                "the messages of this user's peers hold more than " +
                    std::to_string(all->most_held()) + " OS handles that no handler has taken, " +
                    HitLimit(Limit::kMaxReceivedHandles) + "; try again later");
}

}  // namespace internal

IncomingMessage::IncomingMessage(std::unique_ptr<internal::IncomingState> state)
    : state_(std::move(state)) {}
IncomingMessage::IncomingMessage(IncomingMessage&&) noexcept = default;
IncomingMessage& IncomingMessage::operator=(IncomingMessage&&) noexcept = default;
IncomingMessage::~IncomingMessage() = default;

Result<IncomingMessage> IncomingMessage::Parse(Frame frame, const Limits& limits) {
  try {
    const size_t words = frame.words.size();
    if (const uint64_t segments = SegmentCount(frame.words); segments > kMaxSegments) {
      return Error(StatusCode::kMalformed, "frame is no Cap'n Proto message: it has " +
                                               std::to_string(segments) + " segments; at most " +
                                               std::to_string(kMaxSegments) + " are taken");
    }
    auto state =
        std::make_unique<internal::IncomingState>(std::move(frame), LimitedOptions(words, limits));
    if (state->checked.getEnd() != state->words.end()) {
      return Error(StatusCode::kMalformed,
                   "frame of " + std::to_string(words) + " words holds a message of " +
                       std::to_string(state->checked.getEnd() - state->words.begin()));
    }
    state->checked.getRoot<wire::Envelope>();
    state->envelope = state->unlimited.getRoot<wire::Envelope>();
    return IncomingMessage(std::move(state));
  } catch (const kj::Exception& error) {
    return Error(StatusCode::kMalformed,
                 "frame is no Cap'n Proto message: " + internal::CapnpText(error));
  }
}

Status IncomingMessage::CheckPayload(const internal::PayloadType& type) {
  state_->sensitive = type.sensitive();
  state_->names = {};
  Status sound = type.Check(PayloadOf(state_->checked.getRoot<wire::Envelope>()),
                            state_->handles.all(), state_->names, state_->words.size());
  // Cap'n Proto does not say how deep is too deep.
  if (sound.message().find("deeply-nested") == std::string::npos) return sound;
  return Status(sound.code(), sound.message() + " The limit is " +
                                  std::to_string(state_->checked.getOptions().nestingLimit) + ", " +
                                  internal::HitLimit(internal::Limit::kMaxNesting) + ".");
}

const std::vector<internal::ObjectName>& IncomingMessage::object_names() const {
  return state_->names.objects;
}

const std::vector<internal::MemoryName>& IncomingMessage::memory_names() const {
  return state_->names.memories;
}

capnp::AnyPointer::Reader IncomingMessage::payload() const { return PayloadOf(*state_->envelope); }

IncomingHandles& IncomingMessage::handles() { return state_->handles; }

}  // namespace lwmsg
