#pragma once

#include <capnp/dynamic.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "lwmsg/protocol.h"

namespace lwmsg {

struct PrintOptions {
  // Each field on a line of its own; otherwise all on one line.
  bool indented = false;
  // What is longer is cut, with the count of what was left out.
  size_t max_text_bytes = 256;
  size_t max_data_bytes = 32;
  uint32_t max_list_elements = 16;
  // Structs and lists within one another; what is deeper is "...".
  int max_depth = 16;
  // Of the whole text, about: what comes after is "...".
  size_t max_bytes = 65536;
};

// A message or any other struct as text, for logs and tools:
//   (path = "/etc/motd", mode = readOnly, file = <handle 1>, object = <File 5>, key = <sensitive>)
// Fields that a schema marks `$Lwmsg.sensitive` are never shown, wherever they stand, and OS
// handles only by their number in the message. What the schema does not know is not shown. Any
// generated Reader converts to the parameter. Does not throw: what cannot be read is "<malformed>".
std::string Print(const capnp::DynamicStruct::Reader& message, const PrintOptions& options = {});

// The params or results of a method, which `payload` points to.
std::string PrintParams(const MethodInfo& method, capnp::AnyPointer::Reader payload,
                        const PrintOptions& options = {});
std::string PrintResults(const MethodInfo& method, capnp::AnyPointer::Reader payload,
                         const PrintOptions& options = {});

// The interface, its methods and the types that they reach, much as the schema file has them.
std::string Print(const Protocol& protocol);

}  // namespace lwmsg
