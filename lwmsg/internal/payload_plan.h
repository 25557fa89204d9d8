#pragma once

#include <capnp/dynamic.h>
#include <capnp/schema.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lwmsg::internal {

// What the annotations of schema/lwmsg.capnp demand of an integer or an enum.
struct IntegerRules {
  static constexpr int64_t kNoMin = INT64_MIN;
  static constexpr int64_t kNoMax = INT64_MAX;

  bool is_signed = false;
  int64_t min = kNoMin;
  int64_t max = kNoMax;
  uint64_t bits = UINT64_MAX;
  uint32_t enumerants = 0;  // 0: any number will do.
  std::string enum_name;
};

// What they demand of a field. A rule that does not fit its field is not here; the generator
// refuses such schemas.
struct FieldRules {
  enum class Owner { kEither, kSender, kReceiver };

  bool required = false;
  bool sensitive = false;  // Its value is in no error.
  bool process_handle = false;
  uint8_t handle_kinds = 0;  // Of OsHandle::Kind; 0: any will do.
  bool readable = false;
  bool writable = false;
  // What the kernel must be asked about an OS handle.
  bool describes_handle() const { return handle_kinds != 0 || readable || writable; }
  Owner owner = Owner::kEither;
  uint32_t min_length = 0;
  uint32_t max_length = UINT32_MAX;
  uint32_t default_length = 0;           // What an absent pointer is read as.
  std::optional<IntegerRules> integers;  // Of the field, or of each element of the list.
};

struct StructPlan;

// What a pointer may point to.
struct PointerPlan {
  enum class Kind { kText, kData, kList, kStruct, kAny };
  Kind kind = Kind::kAny;
  std::optional<capnp::ListSchema> list;  // kList: what the accessor would check.
  const PointerPlan* element = nullptr;   // kList of pointers or structs.
  const StructPlan* target = nullptr;     // kStruct.
};

// A data field, as it lies in the data section.
struct IntegerPlan {
  uint32_t bytes = 0;
  uint64_t default_value = 0;  // What the section's value is XORed with.
};

struct FieldPlan {
  std::string name;
  uint32_t index = 0;  // Of the pointer; of the data field, in units of its size.
  uint16_t discriminant = capnp::schema::Field::NO_DISCRIMINANT;
  const StructPlan* group = nullptr;   // If set, a group: fields in the same struct.
  std::optional<IntegerPlan> integer;  // If set, a data field; only those with rules are here.
  PointerPlan pointer;                 // Otherwise.
  const FieldRules* rules = nullptr;   // Null if there are none.
};

struct StructPlan {
  bool is_os_handle = false;
  bool is_object = false;
  bool is_memory = false;  // With its fields.
  uint64_t object_kind = 0;
  uint32_t discriminant_offset = 0;  // In 16-bit units, if any field has a discriminant.
  std::vector<FieldPlan> fields;
};

// What there is to check in a payload type and in all types that it reaches.
class PayloadPlan {
 public:
  explicit PayloadPlan(capnp::StructSchema schema);

  const StructPlan& root() const { return *root_; }
  bool carries_handles() const { return carries_handles_; }
  bool carries_objects() const { return carries_objects_; }
  bool has_rules() const { return has_rules_; }
  bool sensitive() const { return sensitive_; }

 private:
  const StructPlan* PlanFor(capnp::StructSchema schema);
  std::optional<FieldPlan> PlanField(capnp::StructSchema::Field field);
  // Nothing for a type that is no pointer.
  std::optional<PointerPlan> PlanPointer(capnp::Type type);
  // Null if the field has none.
  const FieldRules* RulesOf(capnp::StructSchema::Field field);

  // Deques: plans point to one another.
  std::deque<std::pair<capnp::StructSchema, StructPlan>> structs_;
  std::deque<PointerPlan> elements_;
  std::deque<FieldRules> rules_;
  bool carries_handles_ = false;
  bool carries_objects_ = false;
  bool has_rules_ = false;
  bool sensitive_ = false;
  const StructPlan* root_;
};

}  // namespace lwmsg::internal
