// Association: callers whose schema of an interface is another than that of this side.
#include <algorithm>
#include <string>
#include <utility>

#include "lwmsg/association.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/reached_schemas.h"
#include "lwmsg/internal/schema_difference.h"

namespace lwmsg {
namespace {

// More schemas than this on one association are no honest program's.
constexpr size_t kMaxForeignSchemas = 64;

// Says nothing of a null `protocol`.
OutgoingMessage Description(uint64_t interface_id, const Protocol* protocol) {
  OutgoingMessage message;
  auto description = message.state().envelope.initDescription();
  description.setInterfaceId(interface_id);
  if (protocol == nullptr) return message;
  const capnp::InterfaceSchema roots[] = {protocol->schema()};
  auto nodes = internal::CollectNodes(
      roots, capnp::Orphanage::getForMessageContaining(message.state().envelope));
  if (nodes) description.adoptNodes(std::move(*nodes));
  return message;
}

}  // namespace

std::optional<Status> Association::Understands(const Protocol& protocol, uint64_t hash) const {
  if (hash == 0 || hash == protocol.schema_hash) return Status();
  if (!schemas_) return std::nullopt;
  for (const Schemas::Foreign& known : schemas_->foreign) {
    if (known.interface_id == protocol.id && known.hash == hash) return known.compatible;
  }
  if (schemas_->foreign.size() < kMaxForeignSchemas) return std::nullopt;
  return Status(StatusCode::kResourceExhausted, "the caller came with more than " +
                                                    std::to_string(kMaxForeignSchemas) +
                                                    " schemas that this side does not have");
}

void Association::AskForSchema(const Protocol& protocol, uint64_t hash, IncomingMessage call) {
  holding_ = true;
  Held& held = MakeHeld();
  held.asked = &protocol;
  held.asked_hash = hash;
  held.bytes += call.state().words.size() * sizeof(capnp::word);
  held.handles += call.handles().size();
  held.messages.push_front(std::move(call));
  OutgoingMessage message;
  message.state().envelope.setDescribe(protocol.id);
  Send(std::move(message));
  ArmHelloTimer();
}

void Association::OnDescription(IncomingMessage message) {
  const auto description = message.state().checked.getRoot<wire::Envelope>().getDescription();
  if (!held_ || held_->asked == nullptr || description.getInterfaceId() != held_->asked->id) {
    return End(Status(StatusCode::kMalformed, "a description of a schema that was not asked for"),
               true);
  }
  const Protocol& protocol = *std::exchange(held_->asked, nullptr);
  hello_timer_.reset();
  Status compatible = internal::CheckCompatible(protocol.schema(), description.getNodes());
  if (!compatible.ok()) {
    compatible =
        Status(StatusCode::kUnimplemented,
               std::string("the two sides were built from different schemas of ") + protocol.name +
                   "; build both from one (of the callee's as 'here'): " + compatible.message());
  }
  MakeSchemas().foreign.push_back({protocol.id, held_->asked_hash, std::move(compatible)});
  Resume();
}

Association::Schemas& Association::MakeSchemas() {
  if (!schemas_) schemas_ = std::make_unique<Schemas>();
  return *schemas_;
}

void Association::RememberCalled(const Protocol& protocol) {
  auto& called = MakeSchemas().called;
  if (!called.empty() && called.back() == &protocol) return;
  if (std::find(called.begin(), called.end(), &protocol) != called.end()) return;
  called.push_back(&protocol);
}

void Association::OnDescribe(IncomingMessage message) {
  const uint64_t id = message.state().envelope->getDescribe();
  const auto& called = MakeSchemas().called;
  if (++schemas_->described > kMaxForeignSchemas) {
    return End(Status(StatusCode::kMalformed, "the peer asks for the same schemas again and again"),
               true);
  }
  const auto asked = std::find_if(called.begin(), called.end(),
                                  [id](const Protocol* protocol) { return protocol->id == id; });
  OutgoingMessage answer = Description(id, asked == called.end() ? nullptr : *asked);
  // A schema that is larger than the peer takes cannot be told.
  if (answer.ByteSize() > peer_limits_.frame_bytes) answer = Description(id, nullptr);
  Send(std::move(answer));
}

}  // namespace lwmsg
