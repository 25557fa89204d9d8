#include "lwmsg/internal/schema_cost.h"

#include <algorithm>
#include <string>
#include <utility>

#include "lwmsg/internal/schema_text.h"

namespace lwmsg::internal {
namespace {

using capnp::schema::Brand;
using capnp::schema::Node;
using capnp::schema::Type;

constexpr unsigned kMaxScopes = 64;
constexpr unsigned kMaxSuperclasses = 64;
// With its path. None is longer, as mentions in type arguments are named after the generic type.
constexpr size_t kMaxNameBytes = 1024;
constexpr size_t kMemberBytes = 32;
// A placeholder without its name.
constexpr size_t kMentionBytes = 200;

// Of one node.
class Count {
 public:
  void Add(Node::Reader node) {
    bytes += node.getParameters().size() * kMemberBytes;
    if (node.isStruct()) {
      for (auto field : node.getStruct().getFields()) {
        bytes += kMemberBytes;
        if (field.isGroup()) mentioned.push_back(field.getGroup().getTypeId());
        if (!field.isSlot()) continue;
        Add(field.getSlot().getType());
        bytes += field.getSlot().getDefaultValue().totalSize().wordCount * sizeof(capnp::word);
      }
    }
    if (node.isInterface()) {
      for (auto base : node.getInterface().getSuperclasses()) {
        Mention(base.getId(), base.getBrand());
      }
      for (auto method : node.getInterface().getMethods()) {
        bytes += kMemberBytes;
        Mention(method.getParamStructType(), method.getParamBrand());
        Mention(method.getResultStructType(), method.getResultBrand());
      }
    }
    if (node.isConst()) Add(node.getConst().getType());
    if (node.isAnnotation()) Add(node.getAnnotation().getType());
  }

  size_t bytes = 0;
  std::vector<uint64_t> mentioned;
  unsigned longest_brand = 0;

 private:
  void Add(Type::Reader type) {
    while (type.isList()) type = type.getList().getElementType();
    if (type.isStruct()) Mention(type.getStruct().getTypeId(), type.getStruct().getBrand());
    if (type.isEnum()) Mention(type.getEnum().getTypeId(), type.getEnum().getBrand());
    if (type.isInterface()) {
      Mention(type.getInterface().getTypeId(), type.getInterface().getBrand());
    }
  }

  // By recursion, as deep as the message is, which has a limit.
  void Mention(uint64_t id, Brand::Reader brand) {
    mentioned.push_back(id);
    longest_brand = std::max(longest_brand, brand.getScopes().size());
    for (auto scope : brand.getScopes()) {
      if (!scope.isBind()) continue;
      for (auto binding : scope.getBind()) {
        bytes += kMemberBytes;
        if (!binding.isType()) continue;
        bytes += kMaxNameBytes;
        Add(binding.getType());
      }
    }
  }
};

Status TooMany(Node::Reader node, const std::string& what, unsigned most) {
  return Status(StatusCode::kMalformed, ScopedName(node) + " has " + what + "; at most " +
                                            std::to_string(most) + " are taken");
}

}  // namespace

Result<NodeCost> CostOf(Node::Reader node) {
  const size_t name = node.getDisplayName().size();
  if (name > kMaxNameBytes) {
    return Error(TooMany(node, "a name of " + std::to_string(name) + " bytes", kMaxNameBytes));
  }
  const unsigned bases = node.isInterface() ? node.getInterface().getSuperclasses().size() : 0;
  if (bases > kMaxSuperclasses) {
    return Error(TooMany(node, std::to_string(bases) + " superclasses", kMaxSuperclasses));
  }
  Count count;
  count.Add(node);
  if (count.longest_brand > kMaxScopes) {
    return Error(TooMany(
        node, "type arguments for " + std::to_string(count.longest_brand) + " scopes", kMaxScopes));
  }
  const size_t each = kMentionBytes + name;
  return NodeCost{count.bytes + count.mentioned.size() * each, std::move(count.mentioned)};
}

}  // namespace lwmsg::internal
