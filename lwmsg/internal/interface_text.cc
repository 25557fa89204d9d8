#include <algorithm>

#include "lwmsg/internal/annotations.h"
#include "lwmsg/internal/reached_schemas.h"
#include "lwmsg/internal/schema_text.h"

namespace lwmsg::internal {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;
// Of the params or results of a method.
constexpr size_t kMaxListBytes = size_t{1} << 16;

class InterfaceWriter {
 public:
  std::string Run(capnp::InterfaceSchema root) {
    auto reached = ReachedSchemas(root);
    if (!reached) return "# " + reached.error().message() + "\n";
    for (const capnp::Schema& schema : *reached) {
      if (out_.size() > kMaxBytes) break;
      const auto node = schema.getProto();
      if (node.isInterface()) Interface(schema.asInterface());
      if (node.isEnum()) Enum(schema.asEnum());
      if (node.isStruct() && !node.getStruct().getIsGroup() && !IsMethodList(node)) {
        out_ += "struct " + TypeName(schema.asStruct()) + " {\n";
        Fields(schema.asStruct(), 1);
        out_ += "}\n";
      }
    }
    return out_.size() > kMaxBytes ? out_ + "...\n" : out_;
  }

 private:
  // The struct that stands for a method's list of params or results is in no scope.
  static bool IsMethodList(capnp::schema::Node::Reader node) { return node.getScopeId() == 0; }

  void Line(int depth, const std::string& text) {
    out_.append(2 * static_cast<size_t>(depth), ' ');
    out_ += text + "\n";
  }

  void Interface(capnp::InterfaceSchema schema) {
    out_ += "interface " + TypeName(schema);
    std::string bases;
    for (auto base : schema.getSuperclasses()) {
      bases += (bases.empty() ? "" : ", ") + TypeName(base);
    }
    if (!bases.empty()) out_ += " extends(" + bases + ")";
    out_ += " {\n";
    for (auto method : schema.getMethods()) {
      if (out_.size() > kMaxBytes) return;
      const auto annotations = method.getProto().getAnnotations();
      const bool one_way = HasAnnotation(annotations, kOneWayId);
      std::string text = SafeName(method.getProto().getName().cStr()) + " @" +
                         std::to_string(method.getOrdinal()) + " " + List(method.getParamType());
      if (!one_way) text += " -> " + List(method.getResultType());
      if (one_way) text += " $oneway";
      if (HasAnnotation(annotations, kStreamId)) text += " $stream";
      Line(1, text + ";");
    }
    out_ += "}\n";
  }

  static std::string List(capnp::StructSchema schema) {
    if (!IsMethodList(schema.getProto())) return TypeName(schema);
    std::string text;
    for (auto field : schema.getFields()) {
      if (text.size() > kMaxListBytes) return "(" + text + ", ...)";
      const std::string type = field.getProto().isGroup() ? "group" : TypeName(field.getType());
      text += (text.empty() ? "" : ", ") + SafeName(field.getProto().getName().cStr()) + " :" +
              type + Secret(field);
    }
    return "(" + text + ")";
  }

  static std::string Secret(capnp::StructSchema::Field field) {
    return HasAnnotation(field.getProto().getAnnotations(), kSensitiveId) ? " $sensitive" : "";
  }

  void Enum(capnp::EnumSchema schema) {
    out_ += "enum " + TypeName(schema) + " {\n";
    for (auto enumerant : schema.getEnumerants()) {
      if (out_.size() > kMaxBytes) return;
      Line(1, SafeName(enumerant.getProto().getName().cStr()) + " @" +
                  std::to_string(enumerant.getOrdinal()) + ";");
    }
    out_ += "}\n";
  }

  // Groups end: ForeignSchema refuses those that do not.
  void Fields(capnp::StructSchema schema, int depth) {
    for (auto field : schema.getFields()) {
      if (out_.size() > kMaxBytes) return;
      const bool in_union =
          field.getProto().getDiscriminantValue() != capnp::schema::Field::NO_DISCRIMINANT;
      const std::string name = (in_union ? "| " : "") + SafeName(field.getProto().getName().cStr());
      if (field.getProto().isGroup()) {
        Line(depth, name + " :group {");
        Fields(field.getType().asStruct(), depth + 1);
        Line(depth, "}");
      } else {
        const auto ordinal = field.getProto().getOrdinal();
        Line(depth, name +
                        (ordinal.isExplicit() ? " @" + std::to_string(ordinal.getExplicit()) : "") +
                        " :" + TypeName(field.getType()) + Secret(field) + ";");
      }
    }
  }

  std::string out_;
};

}  // namespace

std::string InterfaceText(capnp::InterfaceSchema schema) { return InterfaceWriter().Run(schema); }

}  // namespace lwmsg::internal
