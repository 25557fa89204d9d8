#pragma once

#include <capnp/schema.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "lwmsg/internal/payload_type.h"

namespace lwmsg {

enum class MethodKind : uint8_t {
  // One reply.
  kCall,
  // None: `$Lwmsg.oneway`.
  kOneWay,
  // Many items, then one reply: `$Lwmsg.stream`.
  kStream,
};

// One method of an interface; constant data from the generator.
struct MethodInfo {
  const char* name;
  MethodKind kind;
  // The handler may block: `$Lwmsg.blocking`.
  bool blocking;
  // Of a stream: how many items may be on their way.
  uint16_t window;
  // `$Lwmsg.timeout` in milliseconds, 0 for none; empty if it is not given.
  std::optional<uint32_t> timeout;
  // What its params and results must look like.
  const internal::PayloadType& (*params)();
  const internal::PayloadType& (*results)();
};

// What an interface says; constant data from the generator, one for each interface, never
// destroyed.
struct Protocol {
  // The interface's Cap'n Proto id.
  uint64_t id;
  // With its file-level scope: "TtyBroker", or "Outer.Inner".
  const char* name;
  // `$Lwmsg.version`, 0 if not given.
  uint32_t version;
  // Over the interface and every type that it reaches; changes when any of them does.
  uint64_t schema_hash;
  // The methods by their ordinal, without those of the interfaces that it extends.
  std::span<const MethodInfo> methods;
  // Every interface that it extends, also indirectly, each once.
  std::span<const Protocol* const> bases;
  // The interface as Cap'n Proto knows it.
  capnp::InterfaceSchema (*schema)();
};

// "Calculator.add", for messages.
inline std::string MethodName(const Protocol& protocol, const MethodInfo& method) {
  return std::string(protocol.name) + "." + method.name;
}

}  // namespace lwmsg
