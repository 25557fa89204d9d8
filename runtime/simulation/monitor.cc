#include "runtime/simulation/monitor.h"

#include <capnp/serialize.h>
#include <kj/exception.h>
#include <schema/wire.capnp.h>

#include <cstring>
#include <utility>

#include "lwmsg/internal/message_state.h"

namespace lwmsg::internal {
namespace {

constexpr size_t kSizeOffset = 4;

size_t BodyBytes(std::string_view header) {
  uint32_t words = 0;
  for (size_t i = 4; i-- > 0;) {
    words = words << 8 | static_cast<unsigned char>(header[kSizeOffset + i]);
  }
  return size_t{8} * words;
}

std::string Of(uint32_t id) { return " of call id " + std::to_string(id); }

}  // namespace

std::string Monitor::Sent(Side side, std::string_view bytes) {
  std::string& unread = ends_[side].unread;
  unread.append(bytes);
  while (unread.size() >= kFrameHeaderBytes) {
    const size_t whole = kFrameHeaderBytes + BodyBytes(unread);
    if (unread.size() < whole) break;
    std::string wrong =
        Frame(side, std::string_view(unread).substr(kFrameHeaderBytes, whole - kFrameHeaderBytes));
    unread.erase(0, whole);
    if (!wrong.empty()) {
      return std::string(side == kClientSide ? "the client" : "the server") + " sent " + wrong;
    }
  }
  return "";
}

uint32_t Monitor::FirstForgotten(Side side, const std::set<uint32_t>& waited_for) const {
  for (const auto& [id, call] : ends_[side].calls) {
    if (!call.cancelled && !waited_for.contains(id)) return id;
  }
  return 0;
}

std::string Monitor::Reply(End& caller, uint32_t id, bool good, uint32_t items) {
  const auto call = caller.calls.extract(id);
  if (call.empty()) return "a second reply, or one of no call:" + Of(id);
  // Items whose OS handles could not be sent count, too.
  if (good && items < call.mapped().items) return "a reply that counts too few items" + Of(id);
  return "";
}

std::string Monitor::Item(End& caller, uint32_t id) {
  const auto call = caller.calls.find(id);
  if (call == caller.calls.end()) return "an item of no call";
  if (call->second.credit == 0) return "an item without credit" + Of(id);
  --call->second.credit;
  ++call->second.items;
  return "";
}

std::string Monitor::Frame(Side side, std::string_view body) {
  // Aligned.
  auto words = kj::heapArray<capnp::word>(body.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), body.data(), body.size());
  capnp::FlatArrayMessageReader reader(words);
  const auto envelope = reader.getRoot<wire::Envelope>();
  End& own = ends_[side];
  End& other = ends_[OtherSide(side)];
  if (own.ended) return "something behind its goodbye";
  if (envelope.isGoodbye()) {
    own.ended = true;
    return "";
  }
  if (envelope.isHello() == own.greeted) {
    return own.greeted ? "a second hello" : "something before its hello";
  }
  if (envelope.isHello()) {
    own.greeted = true;
  } else if (envelope.isCall()) {
    const auto call = envelope.getCall();
    if (call.getId() == 0) return "";
    if (!own.calls.try_emplace(call.getId(), Call{call.getCredit()}).second) {
      return "a call whose id is in use: " + std::to_string(call.getId());
    }
  } else if (envelope.isReply()) {
    const auto reply = envelope.getReply();
    return Reply(other, reply.getId(), reply.getStatus() == 0, reply.getItems());
  } else if (envelope.isItem()) {
    return Item(other, envelope.getItem().getId());
  } else if (envelope.isCredit()) {
    const auto call = own.calls.find(envelope.getCredit().getId());
    if (call != own.calls.end()) call->second.credit += envelope.getCredit().getItems();
  } else if (envelope.isCancel()) {
    const auto call = own.calls.find(envelope.getCancel().getId());
    if (call != own.calls.end()) call->second.cancelled = true;
  }
  return "";
}

}  // namespace lwmsg::internal
