#include "field_annotations.h"

#include <lwmsg/lwmsg.capnp.h>

#include <array>
#include <string>
#include <string_view>

namespace lwmsg::codegen {
namespace {

using capnp::schema::Type;
using capnp::schema::Value;

constexpr uint64_t kRangeId = 0xe6a3814d7c0b29f5;
constexpr uint64_t kLengthId = 0xc81d7e5f3a942b06;
constexpr uint64_t kRequiredId = 0xd04fa9726b1ec583;
constexpr uint64_t kKnownId = 0x93b6e81c2fd7504a;
constexpr uint64_t kBitsId = 0xaf7215c6930de48b;
constexpr uint64_t kFromSenderId = 0xcb5608f3e1742d9a;
constexpr uint64_t kFromReceiverId = 0x86d2ca4b7e5f3901;
constexpr uint64_t kSensitiveId = 0xf91e347a05c8bd62;
constexpr uint64_t kProcessHandleId = 0xe47d0b93f85a62c1;
constexpr uint64_t kKindId = 0xbb0c64f7e5a31d28;

constexpr std::array<std::pair<uint64_t, const char*>, 10> kNames = {{
    {kRangeId, "$Lwmsg.range"},
    {kLengthId, "$Lwmsg.length"},
    {kRequiredId, "$Lwmsg.required"},
    {kKnownId, "$Lwmsg.known"},
    {kBitsId, "$Lwmsg.bits"},
    {kFromSenderId, "$Lwmsg.fromSender"},
    {kFromReceiverId, "$Lwmsg.fromReceiver"},
    {kSensitiveId, "$Lwmsg.sensitive"},
    {kProcessHandleId, "$Lwmsg.processHandle"},
    {kKindId, "$Lwmsg.kind"},
}};

// What an integer type can hold, as far as an Int64 can say it.
struct Integer {
  std::string_view name;
  int width = 0;  // In bits; 0 if the type is no integer.
  bool is_signed = false;

  int64_t min() const { return is_signed ? -max() - 1 : 0; }
  int64_t max() const {
    const int bits = is_signed || width == 64 ? width - 1 : width;
    return static_cast<int64_t>((uint64_t{1} << bits) - 1);
  }
  uint64_t bits() const { return UINT64_MAX >> (64 - width); }
};

Integer IntegerOf(Type::Reader type) {
  switch (type.which()) {
    case Type::INT8:
      return {"Int8", 8, true};
    case Type::INT16:
      return {"Int16", 16, true};
    case Type::INT32:
      return {"Int32", 32, true};
    case Type::INT64:
      return {"Int64", 64, true};
    case Type::UINT8:
      return {"UInt8", 8, false};
    case Type::UINT16:
      return {"UInt16", 16, false};
    case Type::UINT32:
      return {"UInt32", 32, false};
    case Type::UINT64:
      return {"UInt64", 64, false};
    default:
      return {};
  }
}

bool IsPointer(Type::Reader type) {
  return type.isText() || type.isData() || type.isList() || type.isStruct() || type.isAnyPointer();
}

// "Item.width", or "Broker.open: params.width" as PayloadReader has it.
std::string FieldName(capnp::StructSchema::Field field) {
  std::string scope = SchemaIndex::ScopedName(field.getContainingStruct());
  const std::string name = field.getProto().getName().cStr();
  for (const auto& [suffix, list] :
       {std::pair<std::string, const char*>("$Params", ": params"), {"$Results", ": results"}}) {
    const size_t at = scope.find(suffix);
    if (at != std::string::npos) scope.replace(at, suffix.size(), list);
  }
  return scope + "." + name;
}

// An Int64 or UInt64 of its type's own sign.
struct Number {
  bool negative;
  uint64_t value;
};

std::string Text(Number number) {
  return number.negative ? std::to_string(static_cast<int64_t>(number.value))
                         : std::to_string(number.value);
}

// The default of an integer field.
std::optional<Number> DefaultOf(Value::Reader value) {
  auto of_signed = [](int64_t number) { return Number{number < 0, static_cast<uint64_t>(number)}; };
  switch (value.which()) {
    case Value::INT8:
      return of_signed(value.getInt8());
    case Value::INT16:
      return of_signed(value.getInt16());
    case Value::INT32:
      return of_signed(value.getInt32());
    case Value::INT64:
      return of_signed(value.getInt64());
    case Value::UINT8:
      return Number{false, value.getUint8()};
    case Value::UINT16:
      return Number{false, value.getUint16()};
    case Value::UINT32:
      return Number{false, value.getUint32()};
    case Value::UINT64:
      return Number{false, value.getUint64()};
    default:
      return std::nullopt;
  }
}

// All annotations of one field.
class FieldChecker {
 public:
  FieldChecker(capnp::StructSchema::Field field, Location where, Diagnostics& diagnostics)
      : name_(FieldName(field)),
        where_(std::move(where)),
        slot_(field.getProto().getSlot()),
        type_(slot_.getType()),
        element_(type_.isList() ? type_.getList().getElementType() : type_),
        annotations_(field.getProto().getAnnotations()),
        diagnostics_(diagnostics) {}

  void Run() {
    for (const auto& [id, name] : kNames) {
      int count = 0;
      for (auto annotation : annotations_) {
        if (annotation.getId() != id) continue;
        ++count;
        annotation_ = name;
        CheckOne(id, annotation.getValue());
      }
      if (count > 1) Error(std::string(name) + " is given more than once; keep one");
    }
    if (FindAnnotation(annotations_, kFromSenderId) &&
        FindAnnotation(annotations_, kFromReceiverId)) {
      Error("$Lwmsg.fromSender and $Lwmsg.fromReceiver leave nothing that fits; keep one");
    }
  }

 private:
  void CheckOne(uint64_t id, Value::Reader value) {
    const Integer integer = IntegerOf(element_);
    switch (id) {
      case kRangeId:
        if (integer.width == 0) return Misfit("integers and lists of them");
        return CheckRange(value.getStruct().getAs<schema::Range>(), integer);
      case kLengthId:
        if (!type_.isText() && !type_.isData() && !type_.isList()) {
          return Misfit("Text, Data and lists");
        }
        return CheckLength(value.getStruct().getAs<schema::Length>());
      case kRequiredId:
        if (!IsPointer(type_)) return Misfit("pointers: Text, Data, lists and structs");
        if (slot_.getHadExplicitDefault()) {
          Error("$Lwmsg.required on a field that has a default; remove one of them");
        }
        return;
      case kKnownId:
        return element_.isEnum() ? void() : Misfit("enums and lists of them");
      case kBitsId:
        if (integer.width == 0 || integer.is_signed) {
          return Misfit("unsigned integers and lists of them");
        }
        return CheckBits(value.getUint64(), integer);
      case kFromSenderId:
      case kFromReceiverId:
        return Is<schema::Handle<>>() ? void() : Misfit("Lwmsg.Handle fields and lists of them");
      case kProcessHandleId:
        return Is<schema::OsHandle>() ? void() : Misfit("Lwmsg.OsHandle fields and lists of them");
      case kKindId:
        if (!Is<schema::OsHandle>()) return Misfit("Lwmsg.OsHandle fields and lists of them");
        return CheckKind(value.getStruct().getAs<schema::HandleKind>());
      default:
        return;
    }
  }

  template <typename Struct>
  bool Is() const {
    return element_.isStruct() && element_.getStruct().getTypeId() == capnp::typeId<Struct>();
  }

  void CheckRange(schema::Range::Reader range, const Integer& integer) {
    const int64_t min = range.getMin();
    const int64_t max = range.getMax();
    if (min > max) return Empty(std::to_string(min), std::to_string(max));
    for (const auto& [bound, open] : {std::pair(min, INT64_MIN), {max, INT64_MAX}}) {
      if (bound == open || (bound >= integer.min() && bound <= integer.max())) continue;
      Error(annotation_ + " has the bound " + std::to_string(bound) + ", which " +
            std::string(integer.name) + " cannot hold; choose one from " +
            std::to_string(integer.min()) + " to " + std::to_string(integer.max()) +
            ", or leave it out");
    }
    const auto value = ExplicitDefault();
    if (!value) return;
    const bool huge = !value->negative && value->value > uint64_t{INT64_MAX};
    const auto as_signed = static_cast<int64_t>(value->value);
    if (huge ? max != INT64_MAX : as_signed < min || as_signed > max) BadDefault(Text(*value));
  }

  void CheckLength(schema::Length::Reader length) {
    if (length.getMin() > length.getMax()) {
      return Empty(std::to_string(length.getMin()), std::to_string(length.getMax()));
    }
    const auto value = slot_.getDefaultValue();
    if (!slot_.getHadExplicitDefault() || type_.isList()) return;
    const size_t size = value.isText() ? value.getText().size() : value.getData().size();
    if (size < length.getMin() || size > length.getMax()) {
      BadDefault("of " + std::to_string(size) + " bytes");
    }
  }

  void CheckBits(uint64_t bits, const Integer& integer) {
    if ((bits & ~integer.bits()) != 0) {
      Error(annotation_ + " has bits beyond the " + std::to_string(integer.width) + " of " +
            std::string(integer.name) + "; remove them, or widen the field");
    }
    const auto value = ExplicitDefault();
    if (value && (value->value & ~bits) != 0) BadDefault(Text(*value));
  }

  void CheckKind(schema::HandleKind::Reader kind) {
    if (kind.getFile() || kind.getDirectory() || kind.getPipe() || kind.getSocket() ||
        kind.getDevice() || kind.getRead() || kind.getWrite()) {
      return;
    }
    Error(annotation_ + " demands nothing; name a kind, read or write, or remove it");
  }

  std::optional<Number> ExplicitDefault() const {
    return slot_.getHadExplicitDefault() ? DefaultOf(slot_.getDefaultValue()) : std::nullopt;
  }

  void Misfit(const std::string& wanted) {
    Error(annotation_ + " is for " + wanted + "; remove it");
  }
  void Empty(const std::string& min, const std::string& max) {
    Error(annotation_ + " has a min of " + min + " above its max of " + max + "; swap them");
  }
  void BadDefault(const std::string& value) {
    Error(annotation_ + " refuses the field's own default " + value + "; change one of them");
  }
  void Error(const std::string& what) { diagnostics_.Error(where_, name_ + ": " + what); }

  std::string name_;
  Location where_;
  capnp::schema::Field::Slot::Reader slot_;
  Type::Reader type_;
  Type::Reader element_;
  Annotations annotations_;
  std::string annotation_;  // The name of the one under way.
  Diagnostics& diagnostics_;
};

void CheckStruct(const SchemaIndex& index, capnp::StructSchema schema, const Location& user,
                 Diagnostics& diagnostics) {
  for (auto field : schema.getFields()) {
    CheckFieldAnnotations(index, field, user, diagnostics);
    if (field.getProto().isGroup()) {
      CheckStruct(index, field.getType().asStruct(), user, diagnostics);
    }
  }
}

void CheckNode(const SchemaIndex& index, capnp::Schema node, const Location& user,
               Diagnostics& diagnostics) {
  if (node.getProto().isStruct()) CheckStruct(index, node.asStruct(), user, diagnostics);
  if (node.getProto().isInterface()) {
    for (auto method : node.asInterface().getMethods()) {
      CheckStruct(index, method.getParamType(), user, diagnostics);
      CheckStruct(index, method.getResultType(), user, diagnostics);
    }
  }
  for (auto nested : node.getProto().getNestedNodes()) {
    CheckNode(index, index.Get(nested.getId()), user, diagnostics);
  }
}

}  // namespace

void CheckFieldAnnotations(const SchemaIndex& index, capnp::StructSchema::Field field,
                           const Location& user, Diagnostics& diagnostics) {
  const auto proto = field.getProto();
  if (!proto.isSlot() || proto.getAnnotations().size() == 0) return;
  const auto own = index.Locate(field.getContainingStruct(), proto.getName().cStr());
  FieldChecker(field, own.value_or(user), diagnostics).Run();
}

void CheckAllFieldAnnotations(const SchemaIndex& index, capnp::Schema file,
                              Diagnostics& diagnostics) {
  CheckNode(index, file, index.LocateFile(file), diagnostics);
}

}  // namespace lwmsg::codegen
