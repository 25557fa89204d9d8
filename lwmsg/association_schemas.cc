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
  for (const ForeignSchema& known : foreign_schemas_) {
    if (known.interface_id == protocol.id && known.hash == hash) return known.compatible;
  }
  if (foreign_schemas_.size() < kMaxForeignSchemas) return std::nullopt;
  return Status(StatusCode::kResourceExhausted, "the caller came with more than " +
                                                    std::to_string(kMaxForeignSchemas) +
                                                    " schemas that this side does not have");
}

void Association::AskForSchema(const Protocol& protocol, uint64_t hash, IncomingMessage call) {
  asked_ = &protocol;
  asked_hash_ = hash;
  holding_ = true;
  held_bytes_ += call.state().words.size() * sizeof(capnp::word);
  held_.push_front(std::move(call));
  OutgoingMessage message;
  message.state().envelope.setDescribe(protocol.id);
  Send(std::move(message));
  hello_timer_.ArmAfter(config_.limits.hello_timeout);
}

void Association::OnDescription(IncomingMessage message) {
  const auto description = message.state().checked.getRoot<wire::Envelope>().getDescription();
  if (asked_ == nullptr || description.getInterfaceId() != asked_->id) {
    return End(Status(StatusCode::kMalformed, "a description of a schema that was not asked for"),
               true);
  }
  const Protocol& protocol = *std::exchange(asked_, nullptr);
  hello_timer_.Disarm();
  Status compatible = internal::CheckCompatible(protocol.schema(), description.getNodes());
  if (!compatible.ok()) {
    compatible =
        Status(StatusCode::kUnimplemented,
               std::string("the two sides were built from different schemas of ") + protocol.name +
                   "; build both from one (of the callee's as 'here'): " + compatible.message());
  }
  foreign_schemas_.push_back({protocol.id, asked_hash_, std::move(compatible)});
  Resume();
}

void Association::RememberCalled(const Protocol& protocol) {
  if (!called_.empty() && called_.back() == &protocol) return;
  if (std::find(called_.begin(), called_.end(), &protocol) != called_.end()) return;
  called_.push_back(&protocol);
}

void Association::OnDescribe(IncomingMessage message) {
  const uint64_t id = message.state().envelope->getDescribe();
  auto called = std::find_if(called_.begin(), called_.end(),
                             [id](const Protocol* protocol) { return protocol->id == id; });
  OutgoingMessage answer = Description(id, called == called_.end() ? nullptr : *called);
  // A schema that is larger than the peer takes cannot be told.
  if (answer.ByteSize() > peer_limits_.frame_bytes) answer = Description(id, nullptr);
  Send(std::move(answer));
}

}  // namespace lwmsg
