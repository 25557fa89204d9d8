#include "lwmsg/internal/reached_schemas.h"

#include <capnp/message.h>
#include <capnp/orphan.h>
#include <kj/exception.h>

#include <map>
#include <string>
#include <unordered_map>

#include "lwmsg/internal/payload_type.h"
#include "lwmsg/internal/schema_cost.h"
#include "lwmsg/internal/schema_text.h"

namespace lwmsg::internal {
namespace {

using capnp::schema::Node;

// More than kMaxReachedTypes, as files and scopes may be among them.
constexpr size_t kMaxNodes = 2 * kMaxReachedTypes;

// A list of types to visit, each once.
class Walk {
 public:
  explicit Walk(capnp::InterfaceSchema root) { Reach(root); }

  Status Run() {
    for (size_t next = 0; next < reached_.size() && bounded_.ok(); ++next) Visit(reached_[next]);
    return bounded_;
  }

  std::vector<capnp::Schema> Take() { return std::move(reached_); }

 private:
  struct Hash {
    size_t operator()(const capnp::Schema& schema) const { return schema.hashCode(); }
  };

  // To ask for a type is what makes the loader work: nothing more is asked for beyond the limit.
  void Visit(capnp::Schema schema) {
    Node::Reader node = schema.getProto();
    if (node.isStruct()) {
      for (auto field : schema.asStruct().getFields()) {
        if (!bounded_.ok()) return;
        Reach(field.getType());
      }
    }
    if (node.isInterface()) {
      for (auto base : schema.asInterface().getSuperclasses()) {
        if (!bounded_.ok()) return;
        Reach(base);
      }
      for (auto method : schema.asInterface().getMethods()) {
        if (!bounded_.ok()) return;
        Reach(method.getParamType());
        Reach(method.getResultType());
      }
    }
    for (unsigned i = 0; i < node.getParameters().size() && bounded_.ok(); ++i) {
      Reach(BrandArgument(schema, i));
    }
  }

  void Reach(capnp::Type type) {
    while (type.isList()) type = type.asList().getElementType();
    if (type.isStruct()) Reach(capnp::Schema(type.asStruct()));
    if (type.isEnum()) Reach(capnp::Schema(type.asEnum()));
    if (type.isInterface()) Reach(capnp::Schema(type.asInterface()));
  }

  void Reach(capnp::Schema schema) {
    if (!bounded_.ok() || !known_.emplace(schema, true).second) return;
    reached_.push_back(schema);
    if (reached_.size() > kMaxReachedTypes) {
      bounded_ = Status(StatusCode::kResourceExhausted,
                        "reaches more than " + std::to_string(kMaxReachedTypes) +
                            " types; a generic type that holds itself with ever other arguments "
                            "needs a fixed argument");
      return;
    }
    const auto added = CostOf(schema.getProto());
    if (!added) {
      bounded_ = added.error();
      return;
    }
    cost_ += added->bytes;
    if (cost_ > kMaxSchemaCost) {
      bounded_ = Status(StatusCode::kResourceExhausted,
                        "has too many members, or members that are of other types, in all that it "
                        "reaches; make several interfaces of it");
    }
  }

  std::unordered_map<capnp::Schema, bool, Hash> known_;
  std::vector<capnp::Schema> reached_;
  size_t cost_ = 0;
  Status bounded_;
};

// What the loader must not see: it works far more on these than they cost to send, or not safely.
class NodesCheck {
 public:
  explicit NodesCheck(capnp::List<Node>::Reader nodes) : nodes_(nodes) {}

  Status Run() {
    for (auto node : nodes_) {
      // The loader would compare the two, and keep one or the other.
      if (!by_id_.emplace(node.getId(), node).second) {
        return Status(StatusCode::kMalformed,
                      "the schema has two nodes with the id " + std::to_string(node.getId()));
      }
    }
    for (auto node : nodes_) {
      Status sound = Check(node);
      if (!sound.ok()) return sound;
    }
    return Status();
  }

 private:
  Status Check(Node::Reader node) {
    // Cap'n Proto cuts the name there without a look at its size.
    if (node.getDisplayNamePrefixLength() > node.getDisplayName().size()) {
      return Status(
          StatusCode::kMalformed,
          "the schema has a name that is shorter than its own prefix: " + ScopedName(node));
    }
    if (node.isStruct() && node.getStruct().getIsGroup() && !HasSizeOfItsStruct(node)) {
      return Status(StatusCode::kMalformed,
                    ScopedName(node) + " is a group, but not of the size of its struct");
    }
    const auto added = CostOf(node);
    if (!added) return added.error();
    cost_ += added->bytes;
    if (cost_ > kMaxSchemaCost) {
      return Status(StatusCode::kResourceExhausted,
                    "a schema whose types mention others too often, or have too long names or "
                    "defaults; " +
                        ScopedName(node) + " is where it goes beyond what is taken");
    }
    for (uint64_t id : added->mentioned) {
      if (!by_id_.contains(id)) missing_.insert(id);
    }
    if (missing_.size() <= kMaxMissing) return Status();
    return Status(StatusCode::kMalformed, "the schema mentions more than " +
                                              std::to_string(kMaxMissing) +
                                              " types that it does not have");
  }

  // As the compiler makes them. For a group that is larger the loader makes its struct anew.
  bool HasSizeOfItsStruct(Node::Reader group) const {
    const auto scope = by_id_.find(group.getScopeId());
    if (scope == by_id_.end() || !scope->second.isStruct()) return false;
    const auto outer = scope->second.getStruct();
    return outer.getDataWordCount() == group.getStruct().getDataWordCount() &&
           outer.getPointerCount() == group.getStruct().getPointerCount();
  }

  // Arguments of generic types that nothing is made of. Not more: the ids are the peer's, and the
  // loader's table of them is slow if he chose them so.
  static constexpr size_t kMaxMissing = 256;

  capnp::List<Node>::Reader nodes_;
  std::map<uint64_t, Node::Reader> by_id_;
  std::set<uint64_t> missing_;
  size_t cost_ = 0;
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
        copy.getRoot<capnp::AnyPointer>().asReader(), copy.sizeInWords());
    if (!sound.ok()) return Error(std::move(sound));
    Status bounded = NodesCheck(checked.asReader().getNodes()).Run();
    if (!bounded.ok()) return Error(std::move(bounded));
    for (auto node : checked.asReader().getNodes()) {
      schema->ids_.insert(node.getId());
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
