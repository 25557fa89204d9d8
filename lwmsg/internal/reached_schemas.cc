#include "lwmsg/internal/reached_schemas.h"

#include <capnp/message.h>
#include <capnp/orphan.h>
#include <kj/exception.h>

#include <string>
#include <unordered_map>

#include "lwmsg/internal/payload_type.h"
#include "lwmsg/internal/schema_cost.h"
#include "lwmsg/internal/schema_text.h"

namespace lwmsg::internal {
namespace {

using capnp::schema::Node;

// Many more than kMaxReachedTypes, as files and scopes may be among them.
constexpr size_t kMaxNodes = 4 * kMaxReachedTypes;

// A list of types to visit, each once.
class Walk {
 public:
  explicit Walk(capnp::InterfaceSchema root) { Reach(root); }

  Status Run() {
    size_t cost = 0;
    for (size_t next = 0; next < reached_.size(); ++next) {
      if (reached_.size() > kMaxReachedTypes) {
        return Status(StatusCode::kResourceExhausted,
                      "reaches more than " + std::to_string(kMaxReachedTypes) +
                          " types; a generic type that holds itself with ever other arguments "
                          "needs a fixed argument");
      }
      const auto added = SchemaCost(reached_[next].getProto());
      if (!added) return added.error();
      cost += *added;
      if (cost > kMaxSchemaCost) {
        return Status(StatusCode::kResourceExhausted,
                      "has too many members, or members that are of other types, in all that it "
                      "reaches; make several interfaces of it");
      }
      Visit(reached_[next]);
    }
    return Status();
  }

  std::vector<capnp::Schema> Take() { return std::move(reached_); }

 private:
  struct Hash {
    size_t operator()(const capnp::Schema& schema) const { return schema.hashCode(); }
  };

  void Visit(capnp::Schema schema) {
    Node::Reader node = schema.getProto();
    if (node.isStruct()) {
      for (auto field : schema.asStruct().getFields()) Reach(field.getType());
    }
    if (node.isInterface()) {
      for (auto base : schema.asInterface().getSuperclasses()) Reach(base);
      for (auto method : schema.asInterface().getMethods()) {
        Reach(method.getParamType());
        Reach(method.getResultType());
      }
    }
    for (unsigned i = 0; i < node.getParameters().size(); ++i) Reach(BrandArgument(schema, i));
  }

  void Reach(capnp::Type type) {
    while (type.isList()) type = type.asList().getElementType();
    if (type.isStruct()) Reach(capnp::Schema(type.asStruct()));
    if (type.isEnum()) Reach(capnp::Schema(type.asEnum()));
    if (type.isInterface()) Reach(capnp::Schema(type.asInterface()));
  }

  void Reach(capnp::Schema schema) {
    if (known_.emplace(schema, true).second) reached_.push_back(schema);
  }

  std::unordered_map<capnp::Schema, bool, Hash> known_;
  std::vector<capnp::Schema> reached_;
};

}  // namespace

Result<std::vector<capnp::Schema>> ReachedSchemas(capnp::InterfaceSchema root) {
  Walk walk(root);
  const Status bounded = walk.Run();
  if (!bounded.ok()) {
    return Error(bounded.code(),
                 "the schema of " + ScopedName(root.getProto()) + " " + bounded.message());
  }
  return walk.Take();
}

Result<capnp::Orphan<capnp::List<Node>>> CollectNodes(std::span<const capnp::InterfaceSchema> roots,
                                                      capnp::Orphanage orphanage) {
  std::set<uint64_t> ids;
  std::vector<Node::Reader> nodes;
  for (const auto& root : roots) {
    auto reached = ReachedSchemas(root);
    if (!reached) return Error(reached.error());
    for (const capnp::Schema& schema : *reached) {
      if (ids.insert(schema.getProto().getId()).second) nodes.push_back(schema.getProto());
    }
  }
  auto list = orphanage.newOrphan<capnp::List<Node>>(static_cast<unsigned>(nodes.size()));
  for (unsigned i = 0; i < nodes.size(); ++i) list.get().setWithCaveats(i, nodes[i]);
  return list;
}

Result<std::unique_ptr<ForeignSchema>> ForeignSchema::Load(capnp::List<Node>::Reader nodes) {
  if (nodes.size() > kMaxNodes) {
    return Error(StatusCode::kResourceExhausted, "a schema of " + std::to_string(nodes.size()) +
                                                     " nodes; at most " +
                                                     std::to_string(kMaxNodes) + " are taken");
  }
  std::unique_ptr<ForeignSchema> schema(new ForeignSchema());
  try {
    // SchemaLoader quotes names in its errors, and for a name that is no text it does so without
    // end.
    capnp::MallocMessageBuilder copy;
    auto checked = copy.initRoot<capnp::schema::CodeGeneratorRequest>();
    checked.setNodes(nodes);
    Status sound = PayloadTypeOf<capnp::schema::CodeGeneratorRequest>().CheckReadable(
        copy.getRoot<capnp::AnyPointer>().asReader());
    if (!sound.ok()) return Error(std::move(sound));
    size_t cost = 0;
    for (auto node : checked.asReader().getNodes()) {
      // The loader would compare the two, and keep one or the other.
      if (!schema->ids_.insert(node.getId()).second) {
        return Error(StatusCode::kMalformed,
                     "the schema has two nodes with the id " + std::to_string(node.getId()));
      }
      // Cap'n Proto cuts the name there without a look at its size.
      if (node.getDisplayNamePrefixLength() > node.getDisplayName().size()) {
        return Error(
            StatusCode::kMalformed,
            "the schema has a name that is shorter than its own prefix: " + ScopedName(node));
      }
      const auto added = SchemaCost(node);
      if (!added) return Error(added.error());
      cost += *added;
      if (cost > kMaxSchemaCost) {
        return Error(StatusCode::kResourceExhausted,
                     "a schema whose types mention others too often or have too long names; " +
                         ScopedName(node) + " is where it goes beyond what is taken");
      }
      schema->loader_.load(node);
    }
  } catch (const kj::Exception& error) {
    return Error(StatusCode::kMalformed,
                 "the schema is not sound: " + QuotedText(error.getDescription().cStr(), 300));
  }
  return schema;
}

Result<capnp::InterfaceSchema> ForeignSchema::Interface(uint64_t id) const {
  try {
    if (!ids_.contains(id)) {
      return Error(StatusCode::kNotFound,
                   "the schema has no interface with the id " + std::to_string(id));
    }
    capnp::Schema schema = loader_.get(id);
    if (!schema.getProto().isInterface()) {
      return Error(StatusCode::kMalformed,
                   ScopedName(schema.getProto()) + " is no interface in the schema");
    }
    Status sound = CheckReached(schema.asInterface());
    if (!sound.ok()) return Error(std::move(sound));
    return schema.asInterface();
  } catch (const kj::Exception& error) {
    return Error(StatusCode::kMalformed,
                 "the schema is not sound: " + QuotedText(error.getDescription().cStr(), 300));
  }
}

Status ForeignSchema::CheckReached(capnp::InterfaceSchema root) const {
  auto reached = ReachedSchemas(root);
  if (!reached) return Status(StatusCode::kMalformed, reached.error().message());
  for (const capnp::Schema& schema : *reached) {
    Node::Reader node = schema.getProto();
    // The loader puts something empty in the place of what is not there.
    if (!ids_.contains(node.getId())) {
      return Status(StatusCode::kMalformed, "the schema lacks the type with the id " +
                                                std::to_string(node.getId()) + " that " +
                                                ScopedName(root.getProto()) + " needs");
    }
    if (node.isInterface()) {
      for (auto method : schema.asInterface().getMethods()) {
        if (!method.getParamType().getProto().getStruct().getIsGroup() &&
            !method.getResultType().getProto().getStruct().getIsGroup()) {
          continue;
        }
        return Status(StatusCode::kMalformed, ScopedName(node) + "." +
                                                  SafeName(method.getProto().getName().cStr()) +
                                                  " has a group for its params or results");
      }
    }
    if (!node.isStruct()) continue;
    Status sound = CheckStruct(schema.asStruct());
    if (!sound.ok()) return sound;
  }
  return Status();
}

// Groups that hold one another would never end for a reader, and the loader takes them.
Status ForeignSchema::CheckStruct(capnp::StructSchema schema) const {
  for (auto field : schema.getFields()) {
    capnp::Type type = field.getType();
    while (type.isList()) type = type.asList().getElementType();
    if (!type.isStruct()) continue;
    Node::Reader target = type.asStruct().getProto();
    const bool group = field.getProto().isGroup();
    if (target.getStruct().getIsGroup() != group ||
        (group && target.getScopeId() != schema.getProto().getId())) {
      return Status(
          StatusCode::kMalformed,
          ScopedName(schema.getProto()) + "." + SafeName(field.getProto().getName().cStr()) +
              (group ? " is a group, but not of this struct" : " names a group as its type"));
    }
  }
  return Status();
}

}  // namespace lwmsg::internal
