#include "runtime/archive_schema.h"

#include <capnp/orphan.h>

#include <algorithm>

#include "lwmsg/internal/schema_difference.h"
#include "lwmsg/internal/schema_text.h"

namespace lwmsg::internal {
namespace {

// All that each of them reaches is looked at.
constexpr unsigned kMaxInterfaces = 256;

}  // namespace

std::vector<const Protocol*> AllInterfaces(const std::vector<const Protocol*>& protocols) {
  std::vector<const Protocol*> all;
  const auto add = [&](const Protocol* protocol) {
    const bool known = std::any_of(all.begin(), all.end(),
                                   [&](const Protocol* one) { return one->id == protocol->id; });
    if (!known) all.push_back(protocol);
  };
  for (const Protocol* protocol : protocols) {
    add(protocol);
    for (const Protocol* base : protocol->bases) add(base);
  }
  return all;
}

Status DescribeInterfaces(const std::vector<const Protocol*>& interfaces,
                          archive::Header::Builder header) {
  std::vector<capnp::InterfaceSchema> schemas;
  auto list = header.initInterfaces(static_cast<unsigned>(interfaces.size()));
  for (unsigned i = 0; i < interfaces.size(); ++i) {
    list[i].setId(interfaces[i]->id);
    list[i].setVersion(interfaces[i]->version);
    schemas.push_back(interfaces[i]->schema());
  }
  auto nodes = CollectNodes(schemas, capnp::Orphanage::getForMessageContaining(header));
  if (!nodes) return nodes.error();
  header.adoptNodes(std::move(*nodes));
  // Whoever opens it looks at all of them together.
  const auto readable = ArchiveSchema::Load(header.asReader());
  return readable ? Status() : Status(StatusCode::kResourceExhausted, readable.error().message());
}

Result<std::shared_ptr<ArchiveSchema>> ArchiveSchema::Load(archive::Header::Reader header) {
  std::shared_ptr<ArchiveSchema> schema(new ArchiveSchema());
  auto nodes = ForeignSchema::Load(header.getNodes());
  if (!nodes) return Error(nodes.error());
  schema->nodes_ = std::move(*nodes);
  if (header.getInterfaces().size() > kMaxInterfaces) {
    return Error(StatusCode::kMalformed, "has " + std::to_string(header.getInterfaces().size()) +
                                             " interfaces; at most " +
                                             std::to_string(kMaxInterfaces) + " are taken");
  }
  for (auto entry : header.getInterfaces()) {
    if (schema->interfaces_.contains(entry.getId())) continue;
    auto interface = schema->nodes_->Interface(entry.getId());
    if (!interface) return Error(StatusCode::kMalformed, interface.error().message());
    schema->interfaces_.emplace(entry.getId(), *interface);
  }
  return schema;
}

Status ArchiveSchema::Check(const std::vector<const Protocol*>& interfaces, bool strict) const {
  for (const auto& [id, theirs] : interfaces_) {
    const uint64_t wanted = id;
    const auto ours =
        std::find_if(interfaces.begin(), interfaces.end(),
                     [&](const Protocol* protocol) { return protocol->id == wanted; });
    if (ours == interfaces.end()) {
      if (!strict) continue;
      return Status(StatusCode::kUnimplemented, "has messages of the interface " +
                                                    ScopedName(theirs.getProto()) +
                                                    ", which this program does not know");
    }
    const capnp::InterfaceSchema schema = (*ours)->schema();
    Status status = DifferenceStatus(schema, SchemaDifferences(schema, theirs));
    if (!status.ok()) return status;
    if (const size_t known = (*ours)->methods.size();
        strict && theirs.getMethods().size() > known) {
      auto method = theirs.getMethods()[static_cast<unsigned>(known)];
      return Status(StatusCode::kUnimplemented, "has messages of the method " +
                                                    ScopedName(theirs.getProto()) + "." +
                                                    SafeName(method.getProto().getName().cStr()) +
                                                    ", which this program does not know");
    }
  }
  return Status();
}

const PayloadType* ArchiveSchema::Find(uint64_t interface_id, uint16_t method, bool reply) {
  const auto interface = interfaces_.find(interface_id);
  if (interface == interfaces_.end()) return nullptr;
  auto methods = interface->second.getMethods();
  if (method >= methods.size()) return nullptr;
  const capnp::StructSchema type =
      reply ? methods[method].getResultType() : methods[method].getParamType();
  auto& known = types_[type];
  if (!known) known = std::make_unique<PayloadType>(type);
  return known.get();
}

std::string ArchiveSchema::Name(uint64_t interface_id, uint16_t method, bool reply) const {
  const capnp::InterfaceSchema& schema = interfaces_.at(interface_id);
  return ScopedName(schema.getProto()) + "." +
         SafeName(schema.getMethods()[method].getProto().getName().cStr()) +
         (reply ? " reply" : " call");
}

std::string ArchiveSchema::Text() const {
  std::string text;
  for (const auto& [id, schema] : interfaces_) {
    text += (text.empty() ? "" : "\n") + InterfaceText(schema);
  }
  return text;
}

}  // namespace lwmsg::internal
