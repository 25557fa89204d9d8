#include "schema_hash.h"

#include <capnp/any.h>

#include <set>
#include <string>
#include <string_view>

namespace lwmsg::codegen {
namespace {

namespace proto = capnp::schema;

// FNV-1a.
class Hasher {
 public:
  void Byte(uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3; }
  void Number(uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) Byte(static_cast<uint8_t>(value >> shift));
  }
  // With its length, so that no two sequences of texts look alike.
  void Text(std::string_view text) {
    Number(text.size());
    for (char c : text) Byte(static_cast<uint8_t>(c));
  }
  uint64_t hash() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325;
};

// Hashes nodes as they are declared, generic types with their parameters open.
class NodeHasher {
 public:
  explicit NodeHasher(const SchemaIndex& index) : index_(index) {}

  uint64_t Run(capnp::InterfaceSchema schema) {
    Interface(schema.getProto());
    // Each node once, in the order in which they are first named.
    for (size_t next = 0; next < queue_.size(); ++next) {
      capnp::Schema node = index_.Get(queue_[next]);
      Name(node);
      if (node.getProto().isStruct()) Struct(node.getProto().getStruct());
      if (node.getProto().isEnum()) Enum(node.getProto().getEnum());
    }
    return hasher_.hash();
  }

 private:
  void Reach(uint64_t id) {
    hasher_.Number(id);
    if (reached_.insert(id).second) queue_.push_back(id);
  }

  void Name(capnp::Schema node) {
    hasher_.Number(node.getProto().getId());
    hasher_.Text(SchemaIndex::ScopedName(node));
  }

  void Interface(proto::Node::Reader node) {
    Name(index_.Get(node.getId()));
    hasher_.Number(node.getInterface().getSuperclasses().size());
    for (auto base : node.getInterface().getSuperclasses()) hasher_.Number(base.getId());
    hasher_.Number(node.getInterface().getMethods().size());
    for (auto method : node.getInterface().getMethods()) {
      hasher_.Text(method.getName().cStr());
      const bool one_way = FindAnnotation(method.getAnnotations(), kOneWayId).has_value();
      const bool stream = FindAnnotation(method.getAnnotations(), kStreamId).has_value();
      hasher_.Number(stream ? 2 : one_way ? 1 : 0);
      Reach(method.getParamStructType());
      Brand(method.getParamBrand());
      Reach(method.getResultStructType());
      Brand(method.getResultBrand());
    }
  }

  void Struct(proto::Node::Struct::Reader node) {
    hasher_.Number(node.getDataWordCount());
    hasher_.Number(node.getPointerCount());
    hasher_.Number(node.getDiscriminantCount());
    hasher_.Number(node.getDiscriminantCount() == 0 ? 0 : node.getDiscriminantOffset());
    hasher_.Number(node.getFields().size());
    for (auto field : node.getFields()) {
      hasher_.Text(field.getName().cStr());
      hasher_.Number(field.getDiscriminantValue());
      hasher_.Number(static_cast<uint64_t>(field.which()));
      if (field.isGroup()) {
        Reach(field.getGroup().getTypeId());
      } else {
        hasher_.Number(field.getSlot().getOffset());
        Type(field.getSlot().getType());
        Value(field.getSlot().getDefaultValue());
      }
    }
  }

  void Enum(proto::Node::Enum::Reader node) {
    hasher_.Number(node.getEnumerants().size());
    for (auto enumerant : node.getEnumerants()) hasher_.Text(enumerant.getName().cStr());
  }

  void Type(proto::Type::Reader type) {
    hasher_.Number(static_cast<uint64_t>(type.which()));
    switch (type.which()) {
      case proto::Type::LIST:
        return Type(type.getList().getElementType());
      case proto::Type::ENUM:
        Reach(type.getEnum().getTypeId());
        return Brand(type.getEnum().getBrand());
      case proto::Type::STRUCT:
        Reach(type.getStruct().getTypeId());
        return Brand(type.getStruct().getBrand());
      case proto::Type::INTERFACE:
        // Only the argument of a Handle can be one: a kind of object, whose methods are not called
        // here.
        return hasher_.Number(type.getInterface().getTypeId());
      case proto::Type::ANY_POINTER:
        return AnyPointer(type.getAnyPointer());
      default:
        return;
    }
  }

  void AnyPointer(proto::Type::AnyPointer::Reader type) {
    hasher_.Number(static_cast<uint64_t>(type.which()));
    if (type.isUnconstrained()) {
      hasher_.Number(static_cast<uint64_t>(type.getUnconstrained().which()));
    }
    if (type.isParameter()) {
      hasher_.Number(type.getParameter().getScopeId());
      hasher_.Number(type.getParameter().getParameterIndex());
    }
  }

  void Brand(proto::Brand::Reader brand) {
    hasher_.Number(brand.getScopes().size());
    for (auto scope : brand.getScopes()) {
      hasher_.Number(scope.getScopeId());
      hasher_.Number(static_cast<uint64_t>(scope.which()));
      if (!scope.isBind()) continue;
      hasher_.Number(scope.getBind().size());
      for (auto binding : scope.getBind()) {
        hasher_.Number(static_cast<uint64_t>(binding.which()));
        if (binding.isType()) Type(binding.getType());
      }
    }
  }

  // In Cap'n Proto's canonical form, which depends on nothing but the value.
  void Value(proto::Value::Reader value) {
    const auto words = capnp::AnyStruct::Reader(value).canonicalize();
    hasher_.Number(words.size());
    for (kj::byte byte : words.asBytes()) hasher_.Byte(byte);
  }

  const SchemaIndex& index_;
  Hasher hasher_;
  std::set<uint64_t> reached_;
  std::vector<uint64_t> queue_;
};

}  // namespace

uint64_t SchemaHash(const SchemaIndex& index, capnp::InterfaceSchema schema) {
  return NodeHasher(index).Run(schema);
}

}  // namespace lwmsg::codegen
