#include "lwmsg/internal/payload_plan.h"

#include <lwmsg/lwmsg.capnp.h>

#include "lwmsg/internal/annotations.h"
#include "lwmsg/os_handle.h"

namespace lwmsg::internal {
namespace {

namespace proto = capnp::schema;

// Of schema/lwmsg.capnp, whose generated C++ does not have the ids of annotations.
constexpr uint64_t kRangeId = 0xe6a3814d7c0b29f5;
constexpr uint64_t kLengthId = 0xc81d7e5f3a942b06;
constexpr uint64_t kRequiredId = 0xd04fa9726b1ec583;
constexpr uint64_t kKnownId = 0x93b6e81c2fd7504a;
constexpr uint64_t kBitsId = 0xaf7215c6930de48b;
constexpr uint64_t kFromSenderId = 0xcb5608f3e1742d9a;
constexpr uint64_t kFromReceiverId = 0x86d2ca4b7e5f3901;
constexpr uint64_t kProcessHandleId = 0xe47d0b93f85a62c1;
constexpr uint64_t kKindId = 0xbb0c64f7e5a31d28;

// What Handle(File) is bound to.
uint64_t ObjectKind(capnp::StructSchema handle) {
  const auto arguments = handle.getBrandArgumentsAtScope(capnp::typeId<schema::Handle<>>());
  if (arguments.size() == 0) return 0;
  const capnp::Type object = arguments[0];
  if (object.isInterface()) return object.asInterface().getProto().getId();
  return object.isStruct() ? object.asStruct().getProto().getId() : 0;
}

// 0 for what is neither an integer nor an enum.
uint32_t IntegerBytes(capnp::Type type) {
  switch (type.which()) {
    case proto::Type::INT8:
    case proto::Type::UINT8:
      return 1;
    case proto::Type::INT16:
    case proto::Type::UINT16:
    case proto::Type::ENUM:
      return 2;
    case proto::Type::INT32:
    case proto::Type::UINT32:
      return 4;
    case proto::Type::INT64:
    case proto::Type::UINT64:
      return 8;
    default:
      return 0;
  }
}

bool IsSigned(capnp::Type type) {
  return type.isInt8() || type.isInt16() || type.isInt32() || type.isInt64();
}

uint64_t DefaultInteger(proto::Value::Reader value) {
  switch (value.which()) {
    case proto::Value::INT8:
      return static_cast<uint8_t>(value.getInt8());
    case proto::Value::INT16:
      return static_cast<uint16_t>(value.getInt16());
    case proto::Value::INT32:
      return static_cast<uint32_t>(value.getInt32());
    case proto::Value::INT64:
      return static_cast<uint64_t>(value.getInt64());
    case proto::Value::UINT8:
      return value.getUint8();
    case proto::Value::UINT16:
      return value.getUint16();
    case proto::Value::UINT32:
      return value.getUint32();
    case proto::Value::UINT64:
      return value.getUint64();
    case proto::Value::ENUM:
      return value.getEnum();
    default:
      return 0;
  }
}

uint32_t DefaultLength(capnp::Type type, proto::Value::Reader value) {
  if (value.isText()) return static_cast<uint32_t>(value.getText().size());
  if (value.isData()) return static_cast<uint32_t>(value.getData().size());
  if (!value.isList()) return 0;
  return value.getList().getAs<capnp::DynamicList>(type.asList()).size();
}

void AddKind(schema::HandleKind::Reader kind, FieldRules& rules) {
  for (const auto& [wanted, bit] : {std::pair(kind.getFile(), OsHandle::kFile),
                                    {kind.getDirectory(), OsHandle::kDirectory},
                                    {kind.getPipe(), OsHandle::kPipe},
                                    {kind.getSocket(), OsHandle::kSocket},
                                    {kind.getDevice(), OsHandle::kDevice}}) {
    if (wanted) rules.handle_kinds |= bit;
  }
  rules.readable = kind.getRead();
  rules.writable = kind.getWrite();
}

// Whether the annotation has a value of its type: one of a schema from outside may have any.
bool HasType(uint64_t annotation, proto::Value::Reader value) {
  switch (annotation) {
    case kRangeId:
    case kLengthId:
    case kKindId:
      return value.isStruct() && (value.getStruct().isNull() || value.getStruct().isStruct());
    case kBitsId:
      return value.isUint64();
    default:
      return true;
  }
}

// Takes over one annotation. False if it is none of lwmsg's, or nothing to check.
bool AddRule(proto::Annotation::Reader annotation, capnp::Type element, FieldRules& rules,
             IntegerRules& integers) {
  const auto value = annotation.getValue();
  if (!HasType(annotation.getId(), value)) return false;
  switch (annotation.getId()) {
    case kRangeId: {
      const auto range = value.getStruct().getAs<schema::Range>();
      integers.min = range.getMin();
      integers.max = range.getMax();
      return true;
    }
    case kLengthId: {
      const auto length = value.getStruct().getAs<schema::Length>();
      rules.min_length = length.getMin();
      rules.max_length = length.getMax();
      return true;
    }
    case kKnownId:
      if (!element.isEnum()) return false;
      integers.enumerants = element.asEnum().getEnumerants().size();
      integers.enum_name = element.asEnum().getShortDisplayName().cStr();
      return true;
    case kBitsId:
      integers.bits = value.getUint64();
      return true;
    case kRequiredId:
      rules.required = true;
      return true;
    case kFromSenderId:
      rules.owner = FieldRules::Owner::kSender;
      return true;
    case kFromReceiverId:
      rules.owner = FieldRules::Owner::kReceiver;
      return true;
    case kProcessHandleId:
      rules.process_handle = true;
      return true;
    case kKindId:
      AddKind(value.getStruct().getAs<schema::HandleKind>(), rules);
      return true;
    case kSensitiveId:
      rules.sensitive = true;
      return false;
    default:
      return false;
  }
}

}  // namespace

PayloadPlan::PayloadPlan(capnp::StructSchema schema) : root_(PlanFor(schema)) {}

const StructPlan* PayloadPlan::PlanFor(capnp::StructSchema schema) {
  // The same node with other generic arguments is another type. Types are few: a search will do.
  for (auto& [known, plan] : structs_) {
    if (known == schema) return &plan;
  }
  StructPlan& plan = structs_.emplace_back(schema, StructPlan{}).second;
  if (schema.getProto().getId() == capnp::typeId<schema::OsHandle>()) {
    plan.is_os_handle = true;
    carries_handles_ = true;
    return &plan;
  }
  if (schema.getProto().getId() == capnp::typeId<schema::Handle<>>()) {
    plan.is_object = true;
    plan.object_kind = ObjectKind(schema);
    carries_objects_ = true;
    return &plan;
  }
  plan.is_memory = schema.getProto().getId() == capnp::typeId<schema::SharedMemory>();
  plan.discriminant_offset = schema.getProto().getStruct().getDiscriminantOffset();
  for (auto field : schema.getFields()) {
    if (auto planned = PlanField(field)) plan.fields.push_back(std::move(*planned));
  }
  return &plan;
}

std::optional<FieldPlan> PayloadPlan::PlanField(capnp::StructSchema::Field field) {
  FieldPlan plan;
  plan.name = field.getProto().getName().cStr();
  plan.discriminant = field.getProto().getDiscriminantValue();
  if (field.getProto().isGroup()) {
    plan.group = PlanFor(field.getType().asStruct());
    return plan.group->fields.empty() ? std::nullopt : std::optional(std::move(plan));
  }
  const auto slot = field.getProto().getSlot();
  plan.index = slot.getOffset();
  plan.rules = RulesOf(field);
  if (auto pointer = PlanPointer(field.getType())) {
    plan.pointer = *pointer;
    return plan;
  }
  if (plan.rules == nullptr || !plan.rules->integers) return std::nullopt;
  plan.integer = IntegerPlan{IntegerBytes(field.getType()), DefaultInteger(slot.getDefaultValue())};
  return plan;
}

std::optional<PointerPlan> PayloadPlan::PlanPointer(capnp::Type type) {
  using Kind = PointerPlan::Kind;
  PointerPlan plan;
  switch (type.which()) {
    case proto::Type::TEXT:
      plan.kind = Kind::kText;
      return plan;
    case proto::Type::DATA:
      plan.kind = Kind::kData;
      return plan;
    case proto::Type::STRUCT:
      plan.kind = Kind::kStruct;
      plan.target = PlanFor(type.asStruct());
      return plan;
    case proto::Type::LIST:
      plan.kind = Kind::kList;
      plan.list = type.asList();
      if (auto element = PlanPointer(type.asList().getElementType())) {
        plan.element = &elements_.emplace_back(*element);
      }
      return plan;
    case proto::Type::ANY_POINTER:
      // What the schema leaves open may be anything, also something with OS handles.
      carries_handles_ = true;
      return plan;
    case proto::Type::INTERFACE:
      return plan;
    default:
      return std::nullopt;
  }
}

const FieldRules* PayloadPlan::RulesOf(capnp::StructSchema::Field field) {
  const capnp::Type type = field.getType();
  const capnp::Type element = type.isList() ? type.asList().getElementType() : type;
  FieldRules rules;
  IntegerRules integers;
  bool found = false;
  for (auto annotation : field.getProto().getAnnotations()) {
    found |= AddRule(annotation, element, rules, integers);
  }
  sensitive_ |= rules.sensitive;
  if (!found) return nullptr;
  has_rules_ = true;
  rules.default_length = DefaultLength(type, field.getProto().getSlot().getDefaultValue());
  integers.is_signed = IsSigned(element);
  if (IntegerBytes(element) != 0) rules.integers = std::move(integers);
  return &rules_.emplace_back(std::move(rules));
}

}  // namespace lwmsg::internal
