#pragma once

#include <capnp/any.h>
#include <capnp/schema.h>

#include <memory>

#include "lwmsg/status.h"

namespace lwmsg::internal {

// The pointer fields of a struct type, worked out once from its schema, so that a message can be
// checked before its reader sees it. Immutable, usable on any thread, lives as long as the program.
class PayloadType {
 public:
  explicit PayloadType(capnp::StructSchema schema);
  ~PayloadType();

  // See IncomingMessage::CheckPayload. `handles` is how many OS handles the message carries. A
  // message that carries some where the schema has no place for them is malformed too.
  Status Check(capnp::AnyPointer::Reader payload, size_t handles) const;

 private:
  class Plan;
  std::unique_ptr<Plan> plan_;
};

// The PayloadType of a generated struct type.
template <typename Struct>
const PayloadType& PayloadTypeOf() {
  static const PayloadType type{capnp::StructSchema(capnp::Schema::from<Struct>())};
  return type;
}

}  // namespace lwmsg::internal
