#include "payload_reader.h"

#include <algorithm>

#include "field_annotations.h"
#include "names.h"

namespace lwmsg::codegen {
namespace {

// A generic type that holds itself with ever other arguments has no end. No honest schema is as
// deep.
constexpr size_t kMaxDepth = 100;

bool Is(capnp::Type type, uint64_t id) {
  return type.isStruct() && type.asStruct().getProto().getId() == id;
}

// What T of a Handle(T) is in C++, "" if `type` is no Handle.
std::string ObjectOf(const SchemaIndex& index, capnp::Type type) {
  if (!type.isStruct() || type.asStruct().getProto().getId() != kHandleId) return "";
  const std::string name = CppFullName(index, type.asStruct());
  const size_t open = name.find('<');
  return name.substr(open + 1, name.rfind('>') - open - 1);
}

// Whether the arguments of a generic type decide what the type is.
bool IsParameter(capnp::schema::Type::Reader type) {
  while (type.isList()) type = type.getList().getElementType();
  return type.isAnyPointer() && !type.getAnyPointer().isUnconstrained();
}

bool IsInUnion(capnp::StructSchema::Field field) {
  return field.getProto().getDiscriminantValue() != capnp::schema::Field::NO_DISCRIMINANT;
}

}  // namespace

PayloadReader::PayloadReader(const SchemaIndex& index, Diagnostics& diagnostics, Location method,
                             std::string name)
    : index_(index),
      diagnostics_(diagnostics),
      method_(std::move(method)),
      name_(std::move(name)) {}

std::vector<HandleField> PayloadReader::Read(capnp::StructSchema root, const std::string& list) {
  seen_.clear();
  path_ = {list};
  WalkStruct(root, method_);
  std::vector<HandleField> handles;
  for (auto field : root.getFields()) {
    if (field.getProto().isGroup()) continue;
    const std::string object = ObjectOf(index_, field.getType());
    const bool memory = Is(field.getType(), kSharedMemoryId);
    if (object.empty() && !memory && !Is(field.getType(), kOsHandleId)) continue;
    handles.push_back({field.getProto().getName().cStr(),
                       TitleCase(CppMemberName(field.getProto())), object, memory, IsInUnion(field),
                       index_.MemberDoc(root, field.getIndex())});
  }
  return handles;
}

void PayloadReader::WalkStruct(capnp::StructSchema schema, const Location& user) {
  if (std::find(seen_.begin(), seen_.end(), schema) != seen_.end()) return;
  seen_.push_back(schema);
  if (path_.size() > kMaxDepth) {
    path_.resize(1);
    return Report(user,
                  "reach a generic type that contains itself with ever other arguments; give it a "
                  "fixed argument");
  }
  for (auto field : schema.getFields()) {
    path_.push_back(field.getProto().getName().cStr());
    WalkField(field, user);
    // Nothing is left to say once the depth was reached.
    if (path_.size() == 1) return;
    path_.pop_back();
  }
}

void PayloadReader::WalkField(capnp::StructSchema::Field field, const Location& user) {
  auto own = index_.Locate(field.getContainingStruct(), field.getProto().getName().cStr());
  const Location where = own.value_or(user);
  if (field.getProto().isGroup()) return WalkStruct(field.getType().asStruct(), where);
  CheckFieldAnnotations(index_, field, user, diagnostics_);
  auto slot = field.getProto().getSlot();
  const bool memory = Is(field.getType(), kSharedMemoryId);
  if ((memory || Is(field.getType(), kOsHandleId)) && slot.getHadExplicitDefault()) {
    Report(where, std::string("has a default, but ") + (memory ? "shared memory" : "an OS handle") +
                      " has none; remove the default");
  }
  WalkType(field.getType(), IsParameter(slot.getType()) ? user : where);
}

void PayloadReader::WalkType(capnp::Type type, const Location& user) {
  if (type.isList()) return WalkType(type.asList().getElementType(), user);
  if (type.isStruct()) return WalkStruct(type.asStruct(), user);
  if (type.isInterface()) {
    const std::string kind = SchemaIndex::ScopedName(type.asInterface());
    return Report(user, "is a capability of type " + kind +
                            ", and messages carry none; use Lwmsg.Handle(" + kind +
                            ") to name an object of the session");
  }
  if (type.isAnyPointer() &&
      type.whichAnyPointerKind() == capnp::schema::Type::AnyPointer::Unconstrained::CAPABILITY) {
    Report(user,
           "is a Capability, and messages carry none; use Lwmsg.Handle to name an object of the "
           "session");
  }
}

void PayloadReader::Report(const Location& where, const std::string& what) {
  std::string path;
  for (const std::string& name : path_) path += (path.empty() ? "" : ".") + name;
  diagnostics_.Error(where, name_ + ": " + path + " " + what);
}

}  // namespace lwmsg::codegen
