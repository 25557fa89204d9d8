// ScriptedPeer: what comes from the association.
#include "lwmsg/fuzz/scripted_peer_end.h"

#include <lwmsg/lwmsg.capnp.h>

#include <algorithm>

#include "lwmsg/fuzz/finding.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/schema_text.h"

namespace lwmsg::fuzz {

void ScriptedPeer::End::Send(OutgoingMessage message) {
  if (closed_) return;
  if (refuses_ && message.handles().size() != 0) {
    refuses_ = false;
    auto shared = std::make_shared<OutgoingMessage>(std::move(message));
    return executor_.Post([link = anchor_.link(), shared] {
      End* self = link.get();
      if (self == nullptr || self->closed_ || self->listener_ == nullptr) return;
      const Status reason(StatusCode::kPermissionDenied, "the handles cannot be passed");
      self->listener_->OnUnsent(std::move(*shared), reason);
    });
  }
  take_(internal::ToFrame(std::move(message)));
}

void ScriptedPeer::End::Close(UniqueFunction<void()> done) {
  closed_ = true;
  executor_.Post(std::move(done));
}

void ScriptedPeer::End::Deliver(Frame frame) {
  if (!closed_ && listener_ != nullptr) listener_->OnFrame(std::move(frame));
}

void ScriptedPeer::End::HangUp(const Status& reason) {
  if (closed_ || listener_ == nullptr) return;
  // A malformed stream is answered with a goodbye, and nothing more is read.
  const auto listener = std::exchange(listener_, nullptr);
  listener->OnClosed(reason);
}

void ScriptedPeer::Take(Frame frame) {
  auto parsed = IncomingMessage::Parse(std::move(frame), {});
  Require(parsed.has_value(), "the association sends sound frames");
  const auto envelope = *parsed->state().envelope;
  // Behind this peer's end something may: what it called before counts, and it may still read.
  Require(!heard_goodbye_, "nothing follows a goodbye");
  Require(envelope.isHello() != heard_hello_ || envelope.isGoodbye(),
          "the association says hello first, and once");
  heard_hello_ = heard_hello_ || envelope.isHello();
  if (envelope.isReply()) return TakeReply(envelope.getReply());
  if (envelope.isItem()) return TakeItem(envelope.getItem());
  if (envelope.isCall()) return TakeCall(envelope.getCall());
  heard_goodbye_ = envelope.isGoodbye();
}

void ScriptedPeer::TakeReply(wire::Envelope::Reply::Reader reply) {
  const auto call = own_calls_.find(reply.getId());
  Require(call != own_calls_.end(), "each call is answered once");
  const auto method = call->second.method;
  if (--call->second.times == 0) own_calls_.erase(call);
  if (method && reply.getStatus() == 0) LookForObjects(reply.getResults(), method->getResultType());
}

void ScriptedPeer::TakeItem(wire::Envelope::Item::Reader item) {
  const auto call = own_calls_.find(item.getId());
  Require(call != own_calls_.end(), "items come before the answer");
  Require(call->second.credit-- != 0, "no more items come than there was credit for");
  const auto method = call->second.method;
  if (method) LookForObjects(item.getResults(), method->getResultType());
}

void ScriptedPeer::TakeCall(wire::Envelope::Call::Reader call) {
  TheirCall their{call.getId(), std::nullopt};
  const auto interface = Find(call.getInterfaceId());
  if (interface && call.getMethod() < interface->getMethods().size()) {
    their.method = interface->getMethods()[call.getMethod()];
    LookForObjects(call.getParams(), their.method->getParamType());
  }
  if (their.id == 0) return;
  Require(std::ranges::find(their_calls_, their.id, &TheirCall::id) == their_calls_.end(),
          "an id of a call without an answer is not used again");
  their_calls_.push_back(their);
}

void ScriptedPeer::LookForObjects(capnp::AnyPointer::Reader payload, capnp::StructSchema type) {
  UniqueFunction<void(capnp::DynamicStruct::Reader)> see = [this](auto part) {
    const capnp::StructSchema type_of_part = part.getSchema();
    const uint64_t id = type_of_part.getProto().getId();
    if (id == capnp::typeId<schema::SharedMemory>()) {
      const auto pool = part.get("pool").template as<uint64_t>();
      if (pool != 0 && places_.size() < 256) {
        places_.emplace_back(pool, part.get("offset").template as<uint64_t>());
      }
    }
    if (id != capnp::typeId<schema::Handle<>>() || part.get("receivers").template as<bool>()) {
      return;
    }
    Named object{part.get("id").template as<uint64_t>(), std::nullopt};
    const capnp::Type kind = internal::BrandArgument(type_of_part, 0);
    if (kind.isInterface()) object.interface = kind.asInterface();
    if (object.id != 0 && objects_.size() < 256) objects_.push_back(object);
  };
  WalkMessage(payload.getAs<capnp::DynamicStruct>(type), see);
}

std::optional<capnp::InterfaceSchema> ScriptedPeer::Find(uint64_t interface_id) const {
  for (const capnp::InterfaceSchema& known : served_) {
    if (known.getProto().getId() == interface_id) return known;
  }
  for (const Named& object : objects_) {
    if (object.interface && object.interface->getProto().getId() == interface_id) {
      return object.interface;
    }
  }
  return std::nullopt;
}

}  // namespace lwmsg::fuzz
