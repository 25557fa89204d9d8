#include "lwmsg/internal/payload_type.h"

#include <capnp/dynamic.h>
#include <kj/exception.h>
#include <lwmsg/lwmsg.capnp.h>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lwmsg::internal {
namespace {

struct StructPlan;

// What a pointer may point to.
struct PointerPlan {
  enum class Kind { kText, kData, kList, kStruct, kAny };
  Kind kind = Kind::kAny;
  std::optional<capnp::ListSchema> list;  // kList: what the accessor would check.
  const PointerPlan* element = nullptr;   // kList of pointers or structs.
  const StructPlan* target = nullptr;     // kStruct.
};

struct FieldPlan {
  std::string name;
  uint32_t index = 0;
  uint16_t discriminant = capnp::schema::Field::NO_DISCRIMINANT;
  PointerPlan pointer;
  const StructPlan* group = nullptr;  // If set, a group: fields in the same struct.
};

struct StructPlan {
  bool is_os_handle = false;
  bool is_object = false;
  uint64_t object_kind = 0;
  uint32_t discriminant_offset = 0;  // In 16-bit units, if any field has a discriminant.
  std::vector<FieldPlan> fields;
};

uint16_t ReadUint16(capnp::Data::Reader data, size_t offset) {
  if (2 * offset + 2 > data.size()) return 0;
  return static_cast<uint16_t>(data[2 * offset] | data[2 * offset + 1] << 8);
}

// A Handle as the generated code reads it.
ObjectName ReadObject(capnp::Data::Reader data, uint64_t kind) {
  ObjectName object{0, data.size() > 8 && (data[8] & 1) != 0, kind};
  for (size_t i = 0; i < 8 && i < data.size(); ++i) object.id |= uint64_t{data[i]} << (8 * i);
  return object;
}

// What Handle(File) is bound to.
uint64_t ObjectKind(capnp::StructSchema handle) {
  const auto arguments = handle.getBrandArgumentsAtScope(capnp::typeId<schema::Handle<>>());
  if (arguments.size() == 0) return 0;
  const capnp::Type object = arguments[0];
  if (object.isInterface()) return object.asInterface().getProto().getId();
  return object.isStruct() ? object.asStruct().getProto().getId() : 0;
}

// One walk over one payload. Throws kj::Exception at the first thing that cannot be read.
class Checker {
 public:
  Checker(size_t handles, std::vector<ObjectName>& objects)
      : seen_(handles, false), objects_(objects) {}

  void Struct(const StructPlan& plan, capnp::AnyStruct::Reader reader) {
    if (plan.is_os_handle) return Slot(ReadUint16(reader.getDataSection(), 0));
    if (plan.is_object) return Object(ReadObject(reader.getDataSection(), plan.object_kind));
    Fields(plan, reader.getDataSection(), reader.getPointerSection());
  }

  // Where the walk stands: "tty" or "items[3].file".
  const std::string& path() const { return path_; }

 private:
  using Pointers = capnp::List<capnp::AnyPointer>::Reader;

  void Fields(const StructPlan& plan, capnp::Data::Reader data, Pointers pointers) {
    for (const FieldPlan& field : plan.fields) {
      if (field.discriminant != capnp::schema::Field::NO_DISCRIMINANT &&
          field.discriminant != ReadUint16(data, plan.discriminant_offset)) {
        continue;
      }
      const size_t length = path_.size();
      if (length != 0) path_ += '.';
      path_ += field.name;
      if (field.group != nullptr) {
        Fields(*field.group, data, pointers);
      } else if (field.index < pointers.size()) {
        Pointer(field.pointer, pointers[field.index]);
      }
      path_.resize(length);
    }
  }

  void Pointer(const PointerPlan& plan, capnp::AnyPointer::Reader pointer) {
    if (pointer.isNull()) return;
    switch (plan.kind) {
      case PointerPlan::Kind::kText:
        pointer.getAs<capnp::Text>();
        return;
      case PointerPlan::Kind::kData:
        pointer.getAs<capnp::Data>();
        return;
      case PointerPlan::Kind::kAny:
        pointer.targetSize();
        return;
      case PointerPlan::Kind::kStruct:
        return Struct(*plan.target, pointer.getAs<capnp::AnyStruct>());
      case PointerPlan::Kind::kList:
        return List(plan, pointer.getAs<capnp::DynamicList>(*plan.list));
    }
  }

  void List(const PointerPlan& plan, capnp::DynamicList::Reader list) {
    if (plan.element == nullptr) return;
    const size_t length = path_.size();
    for (uint32_t i = 0; i < list.size(); ++i) {
      path_ += '[' + std::to_string(i) + ']';
      Element(*plan.element, list[i]);
      path_.resize(length);
    }
  }

  void Element(const PointerPlan& plan, const capnp::DynamicValue::Reader& value) {
    switch (plan.kind) {
      case PointerPlan::Kind::kText:
        value.as<capnp::Text>();
        return;
      case PointerPlan::Kind::kData:
        value.as<capnp::Data>();
        return;
      case PointerPlan::Kind::kAny:
        value.as<capnp::AnyPointer>().targetSize();
        return;
      case PointerPlan::Kind::kStruct:
        return Struct(*plan.target, value.as<capnp::DynamicStruct>());
      case PointerPlan::Kind::kList:
        return List(plan, value.as<capnp::DynamicList>());
    }
  }

  void Slot(uint16_t slot) {
    if (slot == 0) return;
    KJ_REQUIRE(slot <= seen_.size(), "an OS handle slot past the handles of the message", slot,
               seen_.size());
    KJ_REQUIRE(!seen_[slot - 1], "one OS handle slot in two places of the message", slot);
    seen_[slot - 1] = true;
  }

  void Object(const ObjectName& object) {
    if (object.id != 0) objects_.push_back(object);
  }

  std::vector<bool> seen_;
  std::vector<ObjectName>& objects_;
  std::string path_;
};

}  // namespace

// Builds and owns the plans of a type and of all types that it reaches.
class PayloadType::Plan {
 public:
  explicit Plan(capnp::StructSchema schema)
      : name_(schema.getShortDisplayName().cStr()), root_(PlanFor(schema)) {}

  const std::string& name() const { return name_; }
  const StructPlan& root() const { return *root_; }
  bool carries_handles() const { return carries_handles_; }
  bool carries_objects() const { return carries_objects_; }

 private:
  const StructPlan* PlanFor(capnp::StructSchema schema) {
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
    plan.discriminant_offset = schema.getProto().getStruct().getDiscriminantOffset();
    for (auto field : schema.getFields()) {
      if (auto planned = PlanField(field)) plan.fields.push_back(std::move(*planned));
    }
    return &plan;
  }

  std::optional<FieldPlan> PlanField(capnp::StructSchema::Field field) {
    FieldPlan plan;
    plan.name = field.getProto().getName().cStr();
    plan.discriminant = field.getProto().getDiscriminantValue();
    if (field.getProto().isGroup()) {
      plan.group = PlanFor(field.getType().asStruct());
      return plan.group->fields.empty() ? std::nullopt : std::optional(std::move(plan));
    }
    plan.index = field.getProto().getSlot().getOffset();
    auto pointer = PlanPointer(field.getType());
    if (!pointer) return std::nullopt;
    plan.pointer = *pointer;
    return plan;
  }

  // Nothing for a type that is no pointer.
  std::optional<PointerPlan> PlanPointer(capnp::Type type) {
    using Kind = PointerPlan::Kind;
    PointerPlan plan;
    switch (type.which()) {
      case capnp::schema::Type::TEXT:
        plan.kind = Kind::kText;
        return plan;
      case capnp::schema::Type::DATA:
        plan.kind = Kind::kData;
        return plan;
      case capnp::schema::Type::STRUCT:
        plan.kind = Kind::kStruct;
        plan.target = PlanFor(type.asStruct());
        return plan;
      case capnp::schema::Type::LIST:
        plan.kind = Kind::kList;
        plan.list = type.asList();
        if (auto element = PlanPointer(type.asList().getElementType())) {
          plan.element = &elements_.emplace_back(*element);
        }
        return plan;
      case capnp::schema::Type::ANY_POINTER:
        // What the schema leaves open may be anything, also something with OS handles.
        carries_handles_ = true;
        return plan;
      case capnp::schema::Type::INTERFACE:
        return plan;
      default:
        return std::nullopt;
    }
  }

  // Deques: plans point to one another.
  std::deque<std::pair<capnp::StructSchema, StructPlan>> structs_;
  std::deque<PointerPlan> elements_;
  bool carries_handles_ = false;
  bool carries_objects_ = false;
  std::string name_;
  const StructPlan* root_;
};

PayloadType::PayloadType(capnp::StructSchema schema)
    : schema_(schema), plan_(std::make_unique<Plan>(schema)) {}
PayloadType::~PayloadType() = default;

bool PayloadType::carries_objects() const { return plan_->carries_objects(); }

Status PayloadType::Check(capnp::AnyPointer::Reader payload, size_t handles,
                          std::vector<ObjectName>& objects) const {
  if (handles != 0 && !plan_->carries_handles()) {
    return Status(StatusCode::kMalformed, "message carries " + std::to_string(handles) +
                                              " OS handles, but " + plan_->name() +
                                              " has no field for them");
  }
  Checker checker(handles, objects);
  try {
    checker.Struct(plan_->root(), payload.getAs<capnp::AnyStruct>());
    return Status();
  } catch (const kj::Exception& error) {
    std::string field =
        checker.path().empty() ? plan_->name() : plan_->name() + "." + checker.path();
    // Cap'n Proto quotes what it found, also a zero byte.
    std::string what(error.getDescription().begin(), error.getDescription().end());
    std::erase(what, '\0');
    return Status(StatusCode::kMalformed, field + ": " + what);
  }
}

}  // namespace lwmsg::internal
