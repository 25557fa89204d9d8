#include "lwmsg/internal/payload_check.h"

#include <kj/debug.h>

#include <array>
#include <utility>

namespace lwmsg::internal {
namespace {

// What this side keeps of each is ten times what it takes in the message.
constexpr size_t kMaxMemories = 4096;

uint64_t ReadLittleEndian(capnp::Data::Reader data, size_t offset, size_t bytes) {
  // A shorter section is an older sender's: what is not there is 0.
  if (offset + bytes > data.size()) return 0;
  uint64_t value = 0;
  for (size_t i = bytes; i-- > 0;) value = value << 8 | data[offset + i];
  return value;
}

uint16_t ReadUint16(capnp::Data::Reader data, size_t index) {
  return static_cast<uint16_t>(ReadLittleEndian(data, 2 * index, 2));
}

// A Handle as the generated code reads it.
ObjectName ReadObject(capnp::Data::Reader data, uint64_t kind) {
  return {ReadLittleEndian(data, 0, 8), (ReadLittleEndian(data, 8, 1) & 1) != 0, kind};
}

// A SharedMemory as the generated code reads it.
MemoryName ReadMemory(capnp::AnyStruct::Reader reader) {
  const auto data = reader.getDataSection();
  MemoryName memory;
  if (const auto pointers = reader.getPointerSection(); pointers.size() != 0) {
    memory.slot = ReadUint16(pointers[0].getAs<capnp::AnyStruct>().getDataSection(), 0);
  }
  memory.pool = ReadLittleEndian(data, 0, 8);
  memory.offset = ReadLittleEndian(data, 8, 8);
  memory.size = ReadLittleEndian(data, 16, 8);
  return memory;
}

std::string Hex(uint64_t value) {
  std::string text;
  do {
    text.insert(text.begin(), "0123456789abcdef"[value % 16]);
    value /= 16;
  } while (value != 0);
  return "0x" + text;
}

std::string Shown(const FieldRules& rules, std::string value) {
  return rules.sensitive ? "<sensitive>" : std::move(value);
}

// `value` is sign-extended if the field is signed.
void CheckInteger(uint64_t value, const FieldRules& rules) {
  const IntegerRules& integers = *rules.integers;
  const auto as_signed = static_cast<int64_t>(value);
  const bool huge = !integers.is_signed && value > uint64_t{INT64_MAX};
  const bool low = !huge && as_signed < integers.min;
  const bool high = integers.max != IntegerRules::kNoMax && (huge || as_signed > integers.max);
  if (low || high) {
    const bool both = integers.min != IntegerRules::kNoMin && integers.max != IntegerRules::kNoMax;
    const std::string text =
        Shown(rules, integers.is_signed ? std::to_string(as_signed) : std::to_string(value));
    if (both) {
      throw RuleBroken(text + " is outside " + std::to_string(integers.min) + " to " +
                       std::to_string(integers.max));
    }
    throw RuleBroken(text + (low ? " is below " + std::to_string(integers.min)
                                 : " is above " + std::to_string(integers.max)));
  }
  if ((value & ~integers.bits) != 0) {
    throw RuleBroken(Shown(rules, Hex(value)) + " has bits besides " + Hex(integers.bits));
  }
  if (integers.enumerants != 0 && value >= integers.enumerants) {
    throw RuleBroken(Shown(rules, std::to_string(value)) + " is no " + integers.enum_name +
                     " of this side's schema, which has 0 to " +
                     std::to_string(integers.enumerants - 1));
  }
}

uint64_t SignExtended(uint64_t value, size_t bytes) {
  switch (bytes) {
    case 1:
      return static_cast<uint64_t>(static_cast<int8_t>(value));
    case 2:
      return static_cast<uint64_t>(static_cast<int16_t>(value));
    case 4:
      return static_cast<uint64_t>(static_cast<int32_t>(value));
    default:
      return value;
  }
}

void CheckLength(size_t length, const char* unit, const FieldRules* rules) {
  if (rules == nullptr || (length >= rules->min_length && length <= rules->max_length)) return;
  const std::string text = "a length of " + Shown(*rules, std::to_string(length)) + " " + unit;
  if (rules->max_length == UINT32_MAX) {
    throw RuleBroken(text + " is below " + std::to_string(rules->min_length));
  }
  throw RuleBroken(text + " is outside " + std::to_string(rules->min_length) + " to " +
                   std::to_string(rules->max_length));
}

void RefuseProcess(const OsHandle& handle) {
  if (!handle.ControlsProcess()) return;
  throw RuleBroken(
      "a handle of a process, thread, token or job; only a field with $Lwmsg.processHandle "
      "takes one");
}

// "a file or socket, open for reading and writing"
std::string HandleText(uint8_t kinds, bool readable, bool writable) {
  constexpr std::array<std::pair<uint8_t, const char*>, 5> kKinds = {{
      {OsHandle::kFile, "file"},
      {OsHandle::kDirectory, "directory"},
      {OsHandle::kPipe, "pipe"},
      {OsHandle::kSocket, "socket"},
      {OsHandle::kDevice, "device"},
  }};
  std::string text;
  for (const auto& [bit, name] : kKinds) {
    if ((kinds & bit) != 0) text += (text.empty() ? "a " : " or ") + std::string(name);
  }
  if (text.empty()) text = "an OS handle";
  if (!readable && !writable) return text;
  return text + ", open for " +
         (!writable  ? "reading"
          : readable ? "reading and writing"
                     : "writing");
}

void CheckKind(const OsHandle& handle, const FieldRules& rules) {
  const OsHandle::Description is = handle.Describe();
  const bool fits = rules.handle_kinds == 0 || (is.kinds & rules.handle_kinds) != 0;
  if (fits && is.readable >= rules.readable && is.writable >= rules.writable) return;
  throw RuleBroken((is.kinds == 0 ? "an OS handle of another kind"
                                  : HandleText(is.kinds, is.readable, is.writable)) +
                   " where the schema wants " +
                   HandleText(rules.handle_kinds, rules.readable, rules.writable));
}

const char* LengthUnit(PointerPlan::Kind kind) {
  return kind == PointerPlan::Kind::kList ? "elements" : "bytes";
}

}  // namespace

void PayloadChecker::Struct(const StructPlan& plan, capnp::AnyStruct::Reader reader,
                            const FieldRules* rules) {
  if (plan.is_os_handle) return Slot(ReadUint16(reader.getDataSection(), 0), rules);
  if (plan.is_object) return Object(ReadObject(reader.getDataSection(), plan.object_kind), rules);
  if (plan.is_memory) return Memory(plan, reader);
  Fields(plan, reader.getDataSection(), reader.getPointerSection());
}

void PayloadChecker::Fields(const StructPlan& plan, capnp::Data::Reader data, Pointers pointers) {
  for (const FieldPlan& field : plan.fields) {
    if (field.discriminant != capnp::schema::Field::NO_DISCRIMINANT &&
        field.discriminant != ReadUint16(data, plan.discriminant_offset)) {
      continue;
    }
    const size_t length = path_.size();
    if (length != 0) path_ += '.';
    path_ += field.name;
    Field(field, data, pointers);
    path_.resize(length);
  }
}

void PayloadChecker::Field(const FieldPlan& field, capnp::Data::Reader data, Pointers pointers) {
  if (field.group != nullptr) return Fields(*field.group, data, pointers);
  const FieldRules* rules = with_rules_ ? field.rules : nullptr;
  if (field.integer) {
    if (rules == nullptr) return;
    const auto& [bytes, default_value] = *field.integer;
    uint64_t value = ReadLittleEndian(data, size_t{field.index} * bytes, bytes) ^ default_value;
    if (rules->integers->is_signed) value = SignExtended(value, bytes);
    return CheckInteger(value, *rules);
  }
  const auto pointer =
      field.index < pointers.size() ? pointers[field.index] : capnp::AnyPointer::Reader();
  Pointer(field.pointer, pointer, rules);
  if (rules != nullptr && rules->required) Present(field.pointer, pointer);
}

void PayloadChecker::Pointer(const PointerPlan& plan, capnp::AnyPointer::Reader pointer,
                             const FieldRules* rules) {
  if (pointer.isNull()) {
    if (rules != nullptr) CheckLength(rules->default_length, LengthUnit(plan.kind), rules);
    return;
  }
  switch (plan.kind) {
    case PointerPlan::Kind::kText:
      return CheckLength(pointer.getAs<capnp::Text>().size(), LengthUnit(plan.kind), rules);
    case PointerPlan::Kind::kData:
      return CheckLength(pointer.getAs<capnp::Data>().size(), LengthUnit(plan.kind), rules);
    case PointerPlan::Kind::kAny:
      return Any(pointer);
    case PointerPlan::Kind::kStruct:
      return Struct(*plan.target, pointer.getAs<capnp::AnyStruct>(), rules);
    case PointerPlan::Kind::kList: {
      const auto list = pointer.getAs<capnp::DynamicList>(*plan.list);
      CheckLength(list.size(), LengthUnit(plan.kind), rules);
      if (rules != nullptr && rules->integers) Integers(plan, pointer, *rules);
      return List(plan, list, rules);
    }
  }
}

void PayloadChecker::List(const PointerPlan& plan, capnp::DynamicList::Reader list,
                          const FieldRules* rules) {
  if (plan.element == nullptr) return;
  if (list.size() > elements_left_) {
    throw RuleBroken("more elements of lists in the message than there is room for in its bytes");
  }
  if (limited()) elements_left_ -= list.size();
  const size_t length = path_.size();
  for (uint32_t i = 0; i < list.size(); ++i) {
    path_ += '[' + std::to_string(i) + ']';
    Element(*plan.element, list[i], rules);
    path_.resize(length);
  }
}

// `rules` are those of the list's field; of those, only what is about each element counts here.
void PayloadChecker::Element(const PointerPlan& plan, const capnp::DynamicValue::Reader& value,
                             const FieldRules* rules) {
  switch (plan.kind) {
    case PointerPlan::Kind::kText:
      value.as<capnp::Text>();
      return;
    case PointerPlan::Kind::kData:
      value.as<capnp::Data>();
      return;
    case PointerPlan::Kind::kAny:
      return Any(value.as<capnp::AnyPointer>());
    case PointerPlan::Kind::kStruct:
      return Struct(*plan.target, value.as<capnp::DynamicStruct>(), rules);
    case PointerPlan::Kind::kList:
      return List(plan, value.as<capnp::DynamicList>(), nullptr);
  }
}

// Not targetSize, which does not count the elements of a list that take no room: whoever reads it
// afterwards, without a limit, would see 2^29 of them.
void PayloadChecker::Any(capnp::AnyPointer::Reader pointer) {
  if (pointer.isStruct()) return Any(pointer.getAs<capnp::AnyStruct>().getPointerSection());
  if (!pointer.isList()) return;
  const auto list = pointer.getAs<capnp::AnyList>();
  if (list.getElementSize() == capnp::ElementSize::POINTER) {
    Any(list.as<capnp::List<capnp::AnyPointer>>());
  }
  if (list.getElementSize() != capnp::ElementSize::INLINE_COMPOSITE) return;
  const auto elements = list.as<capnp::List<capnp::AnyStruct>>();
  // All are of one size.
  if (elements.size() == 0 || elements[0].getPointerSection().size() == 0) return;
  for (auto element : elements) Any(element.getPointerSection());
}

void PayloadChecker::Any(Pointers pointers) {
  for (auto pointer : pointers) Any(pointer);
}

void PayloadChecker::Integers(const PointerPlan& plan, capnp::AnyPointer::Reader list,
                              const FieldRules& rules) {
  const capnp::Type type = plan.list->getElementType();
  switch (type.which()) {
    case capnp::schema::Type::INT8:
      return IntegersAs<int8_t>(list.getAs<capnp::List<int8_t>>(), rules);
    case capnp::schema::Type::INT16:
      return IntegersAs<int16_t>(list.getAs<capnp::List<int16_t>>(), rules);
    case capnp::schema::Type::INT32:
      return IntegersAs<int32_t>(list.getAs<capnp::List<int32_t>>(), rules);
    case capnp::schema::Type::INT64:
      return IntegersAs<int64_t>(list.getAs<capnp::List<int64_t>>(), rules);
    case capnp::schema::Type::UINT8:
      return IntegersAs<uint8_t>(list.getAs<capnp::List<uint8_t>>(), rules);
    case capnp::schema::Type::UINT16:
    case capnp::schema::Type::ENUM:
      return IntegersAs<uint16_t>(list.getAs<capnp::List<uint16_t>>(), rules);
    case capnp::schema::Type::UINT32:
      return IntegersAs<uint32_t>(list.getAs<capnp::List<uint32_t>>(), rules);
    case capnp::schema::Type::UINT64:
      return IntegersAs<uint64_t>(list.getAs<capnp::List<uint64_t>>(), rules);
    default:
      KJ_UNREACHABLE;  // Only lists of these have such rules.
  }
}

template <typename T>
void PayloadChecker::IntegersAs(typename capnp::List<T>::Reader list, const FieldRules& rules) {
  for (uint32_t i = 0; i < list.size(); ++i) {
    try {
      // Sign-extended for a signed T.
      CheckInteger(static_cast<uint64_t>(list[i]), rules);
    } catch (const RuleBroken&) {
      path_ += '[' + std::to_string(i) + ']';
      throw;
    }
  }
}

void PayloadChecker::Present(const PointerPlan& plan, capnp::AnyPointer::Reader pointer) {
  const StructPlan* target = plan.target;
  if (target != nullptr && target->is_memory) {
    const MemoryName memory = ReadMemory(pointer.getAs<capnp::AnyStruct>());
    if (memory.slot != 0 || memory.pool != 0) return;
    throw RuleBroken("no shared memory, but it is required");
  }
  if (target != nullptr && (target->is_os_handle || target->is_object)) {
    const auto data = pointer.getAs<capnp::AnyStruct>().getDataSection();
    if (target->is_os_handle ? ReadUint16(data, 0) != 0 : ReadObject(data, 0).id != 0) return;
    throw RuleBroken(target->is_os_handle ? "no OS handle, but it is required"
                                          : "names no object, but it is required");
  }
  if (pointer.isNull()) throw RuleBroken("absent, but it is required");
}

void PayloadChecker::Slot(uint16_t slot, const FieldRules* rules) {
  if (slot == 0) return;
  if (slot > seen_.size()) {
    throw RuleBroken("OS handle slot " + std::to_string(slot) + ", but the message carries " +
                     std::to_string(seen_.size()));
  }
  if (seen_[slot - 1]) {
    throw RuleBroken("OS handle slot " + std::to_string(slot) +
                     " stands in two places of the message");
  }
  seen_[slot - 1] = true;
  if (rules == nullptr || !rules->process_handle) RefuseProcess(handles_[slot - 1]);
  if (rules != nullptr && rules->describes_handle()) CheckKind(handles_[slot - 1], *rules);
}

void PayloadChecker::Unseen() const {
  for (size_t i = 0; i < handles_.size(); ++i) {
    if (!seen_[i]) RefuseProcess(handles_[i]);
  }
}

void PayloadChecker::Object(const ObjectName& object, const FieldRules* rules) {
  using Owner = FieldRules::Owner;
  if (object.id == 0) return;
  const Owner demanded = rules == nullptr ? Owner::kEither : rules->owner;
  const Owner owner = object.receivers ? Owner::kReceiver : Owner::kSender;
  if (demanded != Owner::kEither && demanded != owner) {
    throw RuleBroken(
        demanded == Owner::kSender
            ? "names an object of the message's receiver; one of its sender is demanded"
            : "names an object of the message's sender; one of its receiver is demanded");
  }
  names_.objects.push_back(object);
}

void PayloadChecker::Memory(const StructPlan& plan, capnp::AnyStruct::Reader reader) {
  Fields(plan, reader.getDataSection(), reader.getPointerSection());
  const MemoryName memory = ReadMemory(reader);
  if (memory.pool == 0 && memory.slot == 0) return;
  if (memory.size > UINT64_MAX - memory.offset) {
    throw RuleBroken("shared memory of " + std::to_string(memory.size) + " bytes at offset " +
                     std::to_string(memory.offset) + " cannot be");
  }
  if (names_.memories.size() >= kMaxMemories) {
    throw RuleBroken("more than " + std::to_string(kMaxMemories) +
                     " pieces of shared memory in a message");
  }
  names_.memories.push_back(memory);
}

}  // namespace lwmsg::internal
