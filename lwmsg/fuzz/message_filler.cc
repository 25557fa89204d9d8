#include "lwmsg/fuzz/message_filler.h"

#include <lwmsg/lwmsg.capnp.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace lwmsg::fuzz {
namespace {

using capnp::DynamicList;
using capnp::DynamicStruct;
using capnp::DynamicValue;
using capnp::schema::Type;

// Of annotations in schema/lwmsg.capnp.
constexpr uint64_t kRangeId = 0xe6a3814d7c0b29f5;
constexpr uint64_t kLengthId = 0xc81d7e5f3a942b06;
constexpr uint64_t kBitsId = 0xaf7215c6930de48b;

constexpr int kMaxDepth = 8;
constexpr size_t kMaxText = 80;
constexpr unsigned kMaxList = 40;

// What annotations demand of a field.
struct Rules {
  explicit Rules(capnp::StructSchema::Field field) {
    for (auto annotation : field.getProto().getAnnotations()) {
      const auto value = annotation.getValue();
      if (annotation.getId() == kRangeId) {
        const auto range = value.getStruct().getAs<schema::Range>();
        min = range.getMin();
        max = range.getMax();
      } else if (annotation.getId() == kLengthId) {
        const auto length = value.getStruct().getAs<schema::Length>();
        min_length = length.getMin();
        max_length = length.getMax();
      } else if (annotation.getId() == kBitsId) {
        bits = value.getUint64();
      }
    }
  }

  int64_t min = INT64_MIN;
  int64_t max = INT64_MAX;
  std::optional<uint64_t> bits;
  uint32_t min_length = 0;
  uint32_t max_length = UINT32_MAX;
};

class Filler {
 public:
  Filler(Input& input, Names& names) : input_(input), names_(names) {}

  void Struct(DynamicStruct::Builder message, int depth) {
    const uint64_t id = message.getSchema().getProto().getId();
    if (id == capnp::typeId<schema::OsHandle>()) return names_.Handle(input_, message);
    if (id == capnp::typeId<schema::SharedMemory>()) return names_.Memory(input_, message);
    if (id == capnp::typeId<schema::Handle<>>()) return names_.Object(input_, message);
    if (depth > kMaxDepth) return;
    for (auto field : message.getSchema().getNonUnionFields()) {
      if (!input_.empty() && !input_.OneIn(5)) Field(message, field, depth);
    }
    const auto choices = message.getSchema().getUnionFields();
    if (choices.size() == 0 || input_.empty()) return;
    const auto index = static_cast<unsigned>(input_.Below(std::min(choices.size(), 256U)));
    Field(message, choices[index], depth);
  }

 private:
  void Field(DynamicStruct::Builder message, capnp::StructSchema::Field field, int depth) {
    const Rules rules(field);
    const capnp::Type type = field.getType();
    if (field.getProto().isGroup() || type.isStruct()) {
      return Struct(message.init(field).as<DynamicStruct>(), depth + 1);
    }
    if (type.isList()) {
      return List(message.init(field, Length(rules)).as<DynamicList>(), rules, depth + 1);
    }
    if (type.isText() || type.isData()) {
      const std::string text = Text(rules);
      if (type.isText()) return message.set(field, capnp::Text::Reader(text.c_str(), text.size()));
      return message.set(field, AsData(text));
    }
    if (type.isAnyPointer()) {
      const std::string text = input_.Text(kMaxText);
      return message.get(field).as<capnp::AnyPointer>().setAs<capnp::Data>(AsData(text));
    }
    if (!type.isInterface()) message.set(field, Plain(type, rules));
  }

  void List(DynamicList::Builder list, const Rules& rules, int depth) {
    const capnp::Type type = list.getSchema().getElementType();
    for (unsigned i = 0; i < list.size() && !input_.empty() && depth <= kMaxDepth; ++i) {
      if (type.isStruct()) {
        Struct(list[i].as<DynamicStruct>(), depth);
      } else if (type.isList()) {
        List(list.init(i, Length(rules)).as<DynamicList>(), rules, depth + 1);
      } else if (type.isText()) {
        const std::string text = input_.Text(kMaxText);
        list.set(i, capnp::Text::Reader(text.c_str(), text.size()));
      } else if (type.isData()) {
        const std::string text = input_.Text(kMaxText);
        list.set(i, AsData(text));
      } else if (!type.isInterface() && !type.isAnyPointer()) {
        list.set(i, Plain(type, rules));
      }
    }
  }

  static capnp::Data::Reader AsData(const std::string& text) {
    return {reinterpret_cast<const kj::byte*>(text.data()), text.size()};
  }

  unsigned Length(const Rules& rules) {
    unsigned size = input_.Byte() % (kMaxList + 1);
    if (size > 8 && !input_.OneIn(8)) size %= 4;
    if (input_.OneIn(16)) return size;
    return std::clamp(size, std::min(rules.min_length, kMaxList), rules.max_length);
  }

  std::string Text(const Rules& rules) {
    std::string text = input_.Text(kMaxText);
    if (input_.OneIn(16)) return text;
    if (text.size() < rules.min_length) text.resize(std::min<size_t>(rules.min_length, 1000), 'x');
    if (text.size() > rules.max_length) text.resize(rules.max_length);
    return text;
  }

  int64_t Integer(const Rules& rules) {
    int64_t value = input_.OneIn(3) ? input_.Number<int64_t>() : input_.Number<int8_t>();
    if (rules.bits && !input_.OneIn(16)) return static_cast<int64_t>(*rules.bits) & value;
    switch (input_.Below(16)) {
      case 0:
        return rules.max;
      case 1:
        return rules.min;
      case 2:
        return value;
      default:
        return std::clamp(value, rules.min, rules.max);
    }
  }

  // What is no pointer.
  DynamicValue::Reader Plain(capnp::Type type, const Rules& rules) {
    if (type.isVoid()) return capnp::VOID;
    const int64_t value = Integer(rules);
    switch (type.which()) {
      case Type::BOOL:
        return (value & 1) != 0;
      case Type::INT8:
        return static_cast<int8_t>(value);
      case Type::INT16:
        return static_cast<int16_t>(value);
      case Type::INT32:
        return static_cast<int32_t>(value);
      case Type::INT64:
        return value;
      case Type::UINT8:
        return static_cast<uint8_t>(value);
      case Type::UINT16:
        return static_cast<uint16_t>(value);
      case Type::UINT32:
        return static_cast<uint32_t>(value);
      case Type::UINT64:
        return static_cast<uint64_t>(value);
      case Type::FLOAT32:
        return static_cast<float>(value);
      case Type::FLOAT64:
        return static_cast<double>(value) / 3;
      default:
        return capnp::DynamicEnum(type.asEnum(), static_cast<uint16_t>(value));
    }
  }

  Input& input_;
  Names& names_;
};

void WalkValue(const DynamicValue::Reader& value,
               UniqueFunction<void(DynamicStruct::Reader)>& see) {
  if (value.getType() == DynamicValue::STRUCT) return WalkMessage(value.as<DynamicStruct>(), see);
  if (value.getType() != DynamicValue::LIST) return;
  const auto list = value.as<DynamicList>();
  // What takes no room may be there any number of times.
  const unsigned looked = std::min(list.size(), 1000U);
  for (unsigned i = 0; i < looked; ++i) WalkValue(list[i], see);
}

}  // namespace

void FillMessage(Input& input, DynamicStruct::Builder message, Names& names) {
  Filler(input, names).Struct(message, 0);
}

void WalkMessage(DynamicStruct::Reader message, UniqueFunction<void(DynamicStruct::Reader)>& see) {
  see(message);
  // What is absent reads as its default, and a struct may hold itself.
  for (auto field : message.getSchema().getNonUnionFields()) {
    if (message.has(field)) WalkValue(message.get(field), see);
  }
  KJ_IF_MAYBE (field, message.which()) {
    if (message.has(*field)) WalkValue(message.get(*field), see);
  }
}

}  // namespace lwmsg::fuzz
