#pragma once

#include <capnp/dynamic.h>

#include <cstdint>
#include <unordered_map>

namespace lwmsg::internal {

// Takes out of messages what must not be stored: OS handles, and fields that are
// `$Lwmsg.sensitive`.
class Redaction {
 public:
  explicit Redaction(bool keep_sensitive) : keep_sensitive_(keep_sensitive) {}

  struct Outcome {
    // OS handles that became "no handle".
    uint32_t handles = 0;
    // Whether there is a hole of zeros now where a value was, which a copy would close.
    bool holes = false;
  };
  // May throw kj::Exception where `message` is not sound.
  Outcome Run(capnp::DynamicStruct::Builder message);

 private:
  struct Hash {
    size_t operator()(const capnp::Schema& schema) const { return schema.hashCode(); }
  };
  bool Concerns(capnp::StructSchema schema);
  void Struct(capnp::DynamicStruct::Builder value, Outcome& outcome);
  void Value(capnp::DynamicValue::Builder value, Outcome& outcome);

  bool keep_sensitive_;
  // Whether a type reaches something to take out.
  std::unordered_map<capnp::Schema, bool, Hash> concerned_;
};

}  // namespace lwmsg::internal
