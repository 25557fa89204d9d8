#include "lwmsg/internal/schema_cost.h"

#include <algorithm>
#include <string>

#include "lwmsg/internal/schema_text.h"

namespace lwmsg::internal {
namespace {

using capnp::schema::Brand;
using capnp::schema::Node;
using capnp::schema::Type;

constexpr unsigned kMaxScopes = 64;
constexpr size_t kMemberBytes = 32;
// A placeholder without its name.
constexpr size_t kMentionBytes = 200;

class Count {
 public:
  void Add(Node::Reader node) {
    if (node.isStruct()) {
      for (auto field : node.getStruct().getFields()) {
        ++members;
        if (field.isGroup()) ++mentions;
        if (field.isSlot()) Add(field.getSlot().getType());
      }
    }
    if (node.isInterface()) {
      for (auto base : node.getInterface().getSuperclasses()) Mention(base.getBrand());
      for (auto method : node.getInterface().getMethods()) {
        ++members;
        Mention(method.getParamBrand());
        Mention(method.getResultBrand());
      }
    }
    if (node.isConst()) Add(node.getConst().getType());
    if (node.isAnnotation()) Add(node.getAnnotation().getType());
  }

  size_t members = 0;
  size_t mentions = 0;
  unsigned longest_brand = 0;

 private:
  void Add(Type::Reader type) {
    while (type.isList()) type = type.getList().getElementType();
    if (type.isStruct()) Mention(type.getStruct().getBrand());
    if (type.isEnum()) Mention(type.getEnum().getBrand());
    if (type.isInterface()) Mention(type.getInterface().getBrand());
  }

  // By recursion, as deep as the message is, which has a limit.
  void Mention(Brand::Reader brand) {
    ++mentions;
    longest_brand = std::max(longest_brand, brand.getScopes().size());
    for (auto scope : brand.getScopes()) {
      if (!scope.isBind()) continue;
      for (auto binding : scope.getBind()) {
        ++members;
        if (binding.isType()) Add(binding.getType());
      }
    }
  }
};

}  // namespace

Result<size_t> SchemaCost(Node::Reader node) {
  Count count;
  count.Add(node);
  if (count.longest_brand > kMaxScopes) {
    return Error(StatusCode::kMalformed,
                 "type arguments for " + std::to_string(count.longest_brand) + " scopes in " +
                     ScopedName(node) + "; at most " + std::to_string(kMaxScopes) + " are taken");
  }
  return count.members * kMemberBytes +
         count.mentions * (kMentionBytes + node.getDisplayName().size());
}

}  // namespace lwmsg::internal
