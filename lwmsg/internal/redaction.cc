#include "lwmsg/internal/redaction.h"

#include <lwmsg/lwmsg.capnp.h>

#include <utility>
#include <vector>

#include "lwmsg/internal/annotations.h"

namespace lwmsg::internal {
namespace {

using capnp::DynamicStruct;
using capnp::DynamicValue;

bool IsOsHandle(capnp::StructSchema schema) {
  return schema.getProto().getId() == capnp::typeId<schema::OsHandle>();
}

bool IsSensitive(capnp::StructSchema::Field field) {
  return HasAnnotation(field.getProto().getAnnotations(), kSensitiveId);
}

bool IsInUnion(capnp::StructSchema::Field field) {
  return field.getProto().getDiscriminantValue() != capnp::schema::Field::NO_DISCRIMINANT;
}

}  // namespace

Redaction::Outcome Redaction::Run(DynamicStruct::Builder message) {
  Outcome outcome;
  Struct(message, outcome);
  return outcome;
}

bool Redaction::Concerns(capnp::StructSchema schema) {
  if (auto known = concerned_.find(schema); known != concerned_.end()) return known->second;
  std::unordered_map<capnp::Schema, bool, Hash> reached;
  std::vector<capnp::StructSchema> queue = {schema};
  bool concerned = false;
  while (!queue.empty() && !concerned) {
    capnp::StructSchema current = queue.back();
    queue.pop_back();
    if (!reached.emplace(current, true).second) continue;
    concerned = IsOsHandle(current);
    for (auto field : current.getFields()) {
      concerned = concerned || (!keep_sensitive_ && IsSensitive(field));
      capnp::Type type = field.getType();
      while (type.isList()) type = type.asList().getElementType();
      if (type.isStruct()) queue.push_back(type.asStruct());
    }
  }
  return concerned_[schema] = concerned;
}

void Redaction::Struct(DynamicStruct::Builder value, Outcome& outcome) {
  capnp::StructSchema schema = value.getSchema();
  if (!Concerns(schema)) return;
  if (IsOsHandle(schema)) {
    auto slot = value.as<schema::OsHandle>();
    if (slot.getSlot() != 0) ++outcome.handles;
    return slot.setSlot(0);
  }
  for (auto field : schema.getFields()) {
    if (IsInUnion(field)) {
      KJ_IF_MAYBE (active, value.which()) {
        if (*active != field) continue;
      } else {
        continue;
      }
    }
    if (!keep_sensitive_ && IsSensitive(field)) {
      value.clear(field);
      outcome.holes = true;
    } else if (const capnp::Type type = field.getType();
               (type.isStruct() || type.isList()) &&
               (field.getProto().isGroup() || value.has(field))) {
      Value(value.get(field), outcome);
    }
  }
}

void Redaction::Value(DynamicValue::Builder value, Outcome& outcome) {
  if (value.getType() == DynamicValue::STRUCT) return Struct(value.as<DynamicStruct>(), outcome);
  if (value.getType() != DynamicValue::LIST) return;
  auto list = value.as<capnp::DynamicList>();
  capnp::Type element = list.getSchema().getElementType();
  if (!element.isStruct() && !element.isList()) return;
  if (element.isStruct() && !Concerns(element.asStruct())) return;
  for (unsigned i = 0; i < list.size(); ++i) Value(list[i], outcome);
}

}  // namespace lwmsg::internal
