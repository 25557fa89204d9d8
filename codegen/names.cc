#include "names.h"

namespace lwmsg::codegen {
namespace {

// Only types that may stand as arguments of a generic type, or as elements of a list there.
std::string CppTypeName(const SchemaIndex& index, capnp::Type type) {
  switch (type.which()) {
    case capnp::schema::Type::VOID:
      return "::capnp::Void";
    case capnp::schema::Type::BOOL:
      return "bool";
    case capnp::schema::Type::INT8:
      return "::int8_t";
    case capnp::schema::Type::INT16:
      return "::int16_t";
    case capnp::schema::Type::INT32:
      return "::int32_t";
    case capnp::schema::Type::INT64:
      return "::int64_t";
    case capnp::schema::Type::UINT8:
      return "::uint8_t";
    case capnp::schema::Type::UINT16:
      return "::uint16_t";
    case capnp::schema::Type::UINT32:
      return "::uint32_t";
    case capnp::schema::Type::UINT64:
      return "::uint64_t";
    case capnp::schema::Type::FLOAT32:
      return "float";
    case capnp::schema::Type::FLOAT64:
      return "double";
    case capnp::schema::Type::TEXT:
      return "::capnp::Text";
    case capnp::schema::Type::DATA:
      return "::capnp::Data";
    case capnp::schema::Type::LIST:
      return "::capnp::List<" + CppTypeName(index, type.asList().getElementType()) + ">";
    case capnp::schema::Type::ENUM:
      return CppFullName(index, type.asEnum());
    case capnp::schema::Type::STRUCT:
      return CppFullName(index, type.asStruct());
    case capnp::schema::Type::INTERFACE:
      return CppFullName(index, type.asInterface());
    case capnp::schema::Type::ANY_POINTER:
      break;  // The compiler takes no AnyStruct, AnyList or Capability as an argument.
  }
  return "::capnp::AnyPointer";
}

// `brand` knows the arguments of `node` and of all types around it.
std::string FullName(const SchemaIndex& index, capnp::Schema node, capnp::Schema brand) {
  auto scope = index.ScopeOf(node);
  std::string name = scope ? FullName(index, *scope, brand) + "::"
                           : CppNamespacePrefix(CppNamespace(*index.FileOf(node)));
  name += CppShortName(index, node);
  const uint32_t count = node.getProto().getParameters().size();
  if (count == 0) return name;
  auto arguments = brand.getBrandArgumentsAtScope(node.getProto().getId());
  for (uint32_t i = 0; i < count; ++i) {
    name += (i == 0 ? "<" : ", ") + CppTypeName(index, arguments[i]);
  }
  return name + ">";
}

}  // namespace

std::string TitleCase(std::string_view name) {
  std::string result(name);
  if (!result.empty() && 'a' <= result[0] && result[0] <= 'z') {
    result[0] = static_cast<char>(result[0] - 'a' + 'A');
  }
  return result;
}

std::string CppNamespace(capnp::Schema file) {
  auto name = FindAnnotation(file.getProto().getAnnotations(), kCxxNamespaceId);
  return name ? name->getText().cStr() : "";
}

std::string CppNamespacePrefix(const std::string& name) {
  return name.empty() ? "::" : "::" + name + "::";
}

std::string CppShortName(const SchemaIndex& index, capnp::Schema node) {
  auto name = FindAnnotation(node.getProto().getAnnotations(), kCxxNameId);
  if (name) return name->getText().cStr();
  for (auto nested : index.Get(node.getProto().getScopeId()).getProto().getNestedNodes()) {
    if (nested.getId() == node.getProto().getId()) return nested.getName().cStr();
  }
  return TitleCase(node.getUnqualifiedName().cStr());
}

std::string CppFlatName(const SchemaIndex& index, capnp::Schema node) {
  auto scope = index.ScopeOf(node);
  return (scope ? CppFlatName(index, *scope) : "") + CppShortName(index, node);
}

std::string CppFullName(const SchemaIndex& index, capnp::Schema node) {
  return FullName(index, node, node);
}

}  // namespace lwmsg::codegen
