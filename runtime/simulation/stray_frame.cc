#include "runtime/simulation/stray_frame.h"

#include <capnp/any.h>

#include "lwmsg/internal/message_state.h"

namespace lwmsg::internal {
namespace {

std::string Bytes(SeededRandom& random, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(random.Below(256));
  return bytes;
}

// Mostly one that is or was in use: a slot, and how often that was used.
uint32_t CallId(SeededRandom& random) {
  return static_cast<uint32_t>(random.Below(4) | (1 + random.Below(4)) << 16);
}

void FillPayload(SeededRandom& random, capnp::AnyPointer::Builder payload) {
  const uint64_t kind = random.Below(3);
  if (kind == 0) return;
  const std::string bytes = Bytes(random, random.Below(100));
  const auto* data = reinterpret_cast<const capnp::byte*>(bytes.data());
  if (kind == 1) payload.setAs<capnp::Data>(capnp::Data::Reader(data, bytes.size()));
  if (kind == 2) payload.setAs<capnp::Text>(bytes.c_str());
}

void FillCall(SeededRandom& random, wire::Envelope::Call::Builder call,
              const ServiceTable& services) {
  const auto& entries = services.entries();
  if (!entries.empty()) {
    const Protocol& protocol = *entries[random.Below(entries.size())].protocol;
    call.setInterfaceId(protocol.id);
    call.setSchemaHash(protocol.schema_hash);
    call.setMethod(static_cast<uint16_t>(random.Below(protocol.methods.size() + 1)));
  }
  if (random.OneIn(8)) call.setSchemaHash(random.Next());
  if (!random.OneIn(4)) call.setId(CallId(random));
  if (random.OneIn(4)) call.setCredit(static_cast<uint32_t>(random.Below(10)));
  if (random.OneIn(4)) call.setTimeoutMicros(random.Below(10'000));
  if (random.OneIn(4)) call.setObject(random.Next());
  FillPayload(random, call.getParams());
}

void FillEnvelope(SeededRandom& random, wire::Envelope::Builder envelope,
                  const ServiceTable& services) {
  const auto items = static_cast<uint32_t>(random.OneIn(4) ? random.Next() : random.Below(4));
  switch (random.Below(12)) {
    case 0:
      return envelope.initHello().setMaxCalls(items);
    case 1: {
      auto reply = envelope.initReply();
      reply.setId(CallId(random));
      reply.setStatus(static_cast<uint16_t>(random.Below(20)));
      reply.setItems(items);
      return FillPayload(random, reply.getResults());
    }
    case 2: {
      auto item = envelope.initItem();
      item.setId(CallId(random));
      return FillPayload(random, item.getResults());
    }
    case 3: {
      auto credit = envelope.initCredit();
      credit.setId(CallId(random));
      return credit.setItems(items);
    }
    case 4: {
      auto release = envelope.initRelease();
      release.setObject(random.Next());
      return release.setCount(items);
    }
    case 5:
      return envelope.initReturned().setPool(random.Next());
    case 6:
      return envelope.setDescribe(random.Next());
    case 7:
      return envelope.initDescription().setInterfaceId(random.Next());
    case 8:
      return envelope.initCancel().setId(CallId(random));
    case 9:
      return envelope.initGoodbye().setStatus(static_cast<uint16_t>(items));
    default:
      return FillCall(random, envelope.initCall(), services);
  }
}

}  // namespace

std::string StrayFrame(SeededRandom& random, const ServiceTable& services) {
  if (random.OneIn(8)) return Bytes(random, 1 + random.Below(40));
  OutgoingMessage message;
  FillEnvelope(random, message.state().envelope, services);
  std::string frame;
  for (auto piece : message.Pieces()) {
    frame.append(reinterpret_cast<const char*>(piece.begin()), piece.size());
  }
  if (random.OneIn(8)) frame.resize(1 + random.Below(frame.size()));
  // Of the header: the number of its handles.
  if (frame.size() > kFrameHeaderBytes && random.OneIn(8)) frame[8] = 1;
  if (random.OneIn(4)) {
    char& byte = frame[random.Below(frame.size())];
    byte = static_cast<char>(static_cast<unsigned char>(byte) ^ 1U << random.Below(8));
  }
  return frame;
}

}  // namespace lwmsg::internal
