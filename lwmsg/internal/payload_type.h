#pragma once

#include <capnp/any.h>
#include <capnp/schema.h>

#include <memory>
#include <span>
#include <vector>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"

namespace lwmsg::internal {

// What a Handle field of a message names.
struct ObjectName {
  uint64_t id = 0;         // Never 0, which names nothing.
  bool receivers = false;  // As schema::Handle has it.
  uint64_t kind = 0;  // The node id of the interface or struct; 0 if the schema leaves it open.
};

// What a SharedMemory field of a message says.
struct MemoryName {
  uint16_t slot = 0;  // Of the memory's OS handle; 0: none.
  uint64_t pool = 0;  // As schema::SharedMemory has it.
  uint64_t offset = 0;
  uint64_t size = 0;
};

// What a payload names, in the order of the schema's fields.
struct PayloadNames {
  std::vector<ObjectName> objects;
  std::vector<MemoryName> memories;
};

class PayloadChecker;
class PayloadPlan;

// The pointer fields of a struct type and what its annotations demand, worked out once from its
// schema, so that a message can be checked before its reader sees it. Immutable, usable on any
// thread, lives as long as the program.
class PayloadType {
 public:
  explicit PayloadType(capnp::StructSchema schema);
  ~PayloadType();

  capnp::StructSchema schema() const { return schema_; }

  // See IncomingMessage::CheckPayload. `handles` are the OS handles that the message carries. A
  // message that carries some where the schema has no place for them is malformed too. Puts
  // what the payload names at the end of `names`. `words`: of the whole message, if it is of
  // others; then also what the schema does not know is walked, so that a copy of the payload, by a
  // reader without a limit, is no larger than the limit of this one.
  Status Check(capnp::AnyPointer::Reader payload, std::span<const OsHandle> handles,
               PayloadNames& names, size_t words = 0) const;
  // Whether the payload can be read and holds no OS handle, whatever the annotations demand: for
  // messages that lie in files, where secrets and OS handles were left out. `words` as above.
  Status CheckReadable(capnp::AnyPointer::Reader payload, size_t words = 0) const;
  // Whether a payload of this type may bring OS handles, and name objects.
  bool carries_handles() const;
  bool carries_objects() const;
  // Whether its annotations demand anything of it.
  bool has_rules() const;
  // Whether a payload of this type can hold a secret.
  bool sensitive() const;

 private:
  Status Walk(capnp::AnyPointer::Reader payload, PayloadChecker checker) const;

  capnp::StructSchema schema_;
  std::unique_ptr<PayloadPlan> plan_;
};

// The PayloadType of a generated struct type.
template <typename Struct>
const PayloadType& PayloadTypeOf() {
  static const PayloadType type{capnp::StructSchema(capnp::Schema::from<Struct>())};
  return type;
}

// The schema of a generated interface.
template <typename Interface>
capnp::InterfaceSchema SchemaOf() {
  return capnp::Schema::from<Interface>();
}

}  // namespace lwmsg::internal
