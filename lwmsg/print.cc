#include "lwmsg/print.h"

#include <kj/exception.h>
#include <lwmsg/lwmsg.capnp.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "lwmsg/internal/annotations.h"
#include "lwmsg/internal/payload_type.h"
#include "lwmsg/internal/schema_text.h"

namespace lwmsg {
namespace {

using capnp::DynamicList;
using capnp::DynamicStruct;
using capnp::DynamicValue;

bool IsSensitive(capnp::StructSchema::Field field) {
  return internal::HasAnnotation(field.getProto().getAnnotations(), internal::kSensitiveId);
}

std::string Float(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  // As short as it can be and still be the same number.
  for (int digits = 6; digits < 17; ++digits) {
    char shorter[32];
    std::snprintf(shorter, sizeof shorter, "%.*g", digits, value);
    if (std::strtod(shorter, nullptr) == value) return shorter;
  }
  return text;
}

class Printer {
 public:
  explicit Printer(const PrintOptions& options) : options_(options) {}

  std::string Run(const DynamicStruct::Reader& message) {
    try {
      Struct(message, 0);
    } catch (const kj::Exception&) {
      out_ += "<malformed>";
    }
    return std::move(out_);
  }

 private:
  bool Full() const { return out_.size() >= options_.max_bytes; }

  void Break(int depth) {
    if (!options_.indented) return;
    out_ += '\n';
    out_.append(2 * static_cast<size_t>(depth), ' ');
  }

  // Between two items, and before the first and behind the last.
  void Separate(bool first, int depth) {
    if (!first) out_ += options_.indented ? "," : ", ";
    Break(depth);
  }

  void Struct(const DynamicStruct::Reader& value, int depth) {
    const uint64_t id = value.getSchema().getProto().getId();
    if (id == capnp::typeId<schema::OsHandle>()) return OsHandle(value);
    if (id == capnp::typeId<schema::Handle<>>()) return Handle(value);
    if (depth >= options_.max_depth) {
      out_ += "(...)";
      return;
    }
    out_ += '(';
    bool first = true;
    for (auto field : value.getSchema().getFields()) {
      if (!IsShown(value, field)) continue;
      Separate(first, depth + 1);
      first = false;
      if (Full()) {
        out_ += "...";
        break;
      }
      out_ += internal::SafeName(field.getProto().getName().cStr()) + " = ";
      if (IsSensitive(field)) {
        out_ += "<sensitive>";
      } else {
        Field(value, field, depth);
      }
    }
    if (!first) Break(depth);
    out_ += ')';
  }

  // What a union does not hold, and pointers to nothing, are not there. A default is there: null
  // stands for it. Whether a secret is there is not told.
  static bool IsShown(const DynamicStruct::Reader& value, capnp::StructSchema::Field field) {
    if (field.getProto().getDiscriminantValue() != capnp::schema::Field::NO_DISCRIMINANT) {
      KJ_IF_MAYBE (active, value.which()) {
        return *active == field;
      }
      return false;
    }
    if (field.getProto().isGroup() || IsSensitive(field)) return true;
    const capnp::Type type = field.getType();
    if (type.isStruct() &&
        type.asStruct().getProto().getId() == capnp::typeId<schema::OsHandle>()) {
      return true;
    }
    return !IsPointer(type) || value.has(field) ||
           field.getProto().getSlot().getHadExplicitDefault();
  }

  static bool IsPointer(capnp::Type type) {
    return type.isText() || type.isData() || type.isList() || type.isStruct() ||
           type.isInterface() || type.isAnyPointer();
  }

  // A field that cannot be read hides no other.
  void Field(const DynamicStruct::Reader& value, capnp::StructSchema::Field field, int depth) {
    const size_t length = out_.size();
    try {
      Value(value.get(field), depth + 1);
    } catch (const kj::Exception&) {
      out_.resize(length);
      out_ += "<malformed>";
    }
  }

  void Value(const DynamicValue::Reader& value, int depth) {
    switch (value.getType()) {
      case DynamicValue::VOID:
        out_ += "void";
        return;
      case DynamicValue::BOOL:
        out_ += value.as<bool>() ? "true" : "false";
        return;
      case DynamicValue::INT:
        out_ += std::to_string(value.as<int64_t>());
        return;
      case DynamicValue::UINT:
        out_ += std::to_string(value.as<uint64_t>());
        return;
      case DynamicValue::FLOAT:
        out_ += Float(value.as<double>());
        return;
      case DynamicValue::TEXT:
        return Text(value.as<capnp::Text>());
      case DynamicValue::DATA:
        return Data(value.as<capnp::Data>());
      case DynamicValue::LIST:
        return List(value.as<DynamicList>(), depth);
      case DynamicValue::ENUM:
        return Enum(value.as<capnp::DynamicEnum>());
      case DynamicValue::STRUCT:
        return Struct(value.as<DynamicStruct>(), depth);
      case DynamicValue::CAPABILITY:
        out_ += "<capability>";
        return;
      default:
        out_ += "<any>";
    }
  }

  void Text(capnp::Text::Reader text) {
    out_ +=
        internal::QuotedText(std::string_view(text.begin(), text.size()), options_.max_text_bytes);
  }

  void Data(capnp::Data::Reader data) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    out_ += "0x\"";
    for (size_t i = 0; i < std::min(data.size(), options_.max_data_bytes); ++i) {
      out_ += kDigits[data[i] >> 4];
      out_ += kDigits[data[i] & 15];
    }
    out_ += '"';
    if (data.size() > options_.max_data_bytes) {
      out_ += "... (" + std::to_string(data.size() - options_.max_data_bytes) + " more bytes)";
    }
  }

  void Enum(capnp::DynamicEnum value) {
    KJ_IF_MAYBE (enumerant, value.getEnumerant()) {
      out_ += internal::SafeName(enumerant->getProto().getName().cStr());
    } else {
      out_ += std::to_string(value.getRaw());
    }
  }

  void List(DynamicList::Reader list, int depth) {
    if (depth >= options_.max_depth) {
      out_ += "[...]";
      return;
    }
    out_ += '[';
    const uint32_t shown = std::min(list.size(), options_.max_list_elements);
    uint32_t i = 0;
    for (; i < shown && !Full(); ++i) {
      Separate(i == 0, depth + 1);
      Value(list[i], depth + 1);
    }
    if (i < list.size()) {
      Separate(i == 0, depth + 1);
      out_ += "... (" + std::to_string(list.size() - i) + " more)";
    }
    if (list.size() != 0) Break(depth);
    out_ += ']';
  }

  // The schema may be a file's, and its OsHandle anything.
  static uint64_t FirstNumber(const DynamicStruct::Reader& value) {
    auto fields = value.getSchema().getFields();
    if (fields.size() == 0) return 0;
    const DynamicValue::Reader number = value.get(fields[0]);
    return number.getType() == DynamicValue::UINT ? number.as<uint64_t>() : 0;
  }

  void OsHandle(const DynamicStruct::Reader& value) {
    const uint64_t slot = FirstNumber(value);
    out_ += slot == 0 ? "<no handle>" : "<handle " + std::to_string(slot) + ">";
  }

  void Handle(const DynamicStruct::Reader& value) {
    const capnp::Type kind = internal::BrandArgument(value.getSchema(), 0);
    const std::string name = kind.isAnyPointer() ? "object" : internal::TypeName(kind);
    const uint64_t object = FirstNumber(value);
    out_ += object == 0 ? "<no " + name + ">" : "<" + name + " " + std::to_string(object) + ">";
  }

  const PrintOptions& options_;
  std::string out_;
};

std::string PrintPayload(const internal::PayloadType& type, capnp::AnyPointer::Reader payload,
                         const PrintOptions& options) {
  try {
    return Print(payload.getAs<DynamicStruct>(type.schema()), options);
  } catch (const kj::Exception&) {
    return "<malformed>";
  }
}

}  // namespace

std::string Print(const DynamicStruct::Reader& message, const PrintOptions& options) {
  return Printer(options).Run(message);
}

std::string PrintParams(const MethodInfo& method, capnp::AnyPointer::Reader payload,
                        const PrintOptions& options) {
  return PrintPayload(method.params(), payload, options);
}

std::string PrintResults(const MethodInfo& method, capnp::AnyPointer::Reader payload,
                         const PrintOptions& options) {
  return PrintPayload(method.results(), payload, options);
}

std::string Print(const Protocol& protocol) { return internal::InterfaceText(protocol.schema()); }

}  // namespace lwmsg
