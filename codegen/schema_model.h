#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diagnostics.h"
#include "schema_index.h"

namespace lwmsg::codegen {

// What is generated, in the words of the generated code: the schema after all that can be wrong
// with it was looked for. Doc comments are by line.

// A field of the type OsHandle, SharedMemory or Handle(T) at the top of params or results.
struct HandleField {
  std::string name;
  std::string cpp_name;  // "Tty", as in takeTty.
  std::string object;    // Of a Handle(T), what T is in C++: "::files::File".
  bool is_memory;
  bool in_union;
  std::vector<std::string> doc;
};

// The params or the results of a method.
struct Payload {
  std::string type;     // "::tty::Broker::OpenParams".
  std::string wrapper;  // "BrokerOpenParams"; generated if there are handle fields.
  std::vector<HandleField> handles;
};

enum class MethodKind { kCall, kOneWay, kStream };

struct Method {
  std::string name;
  std::string cpp_name;  // "Open".
  uint16_t ordinal;
  MethodKind kind;
  bool blocking;
  uint16_t window;  // Of a stream.
  std::optional<uint32_t> timeout;
  std::vector<std::string> doc;
  Payload params;
  Payload results;
};

struct Interface {
  uint64_t id;
  std::string name;           // "Outer.Inner".
  std::string cpp_name;       // "OuterInner".
  std::string cpp_type;       // "::a::b::Outer::Inner".
  std::string cpp_namespace;  // "a::b", may be empty.
  std::string type;           // "::a::b::Outer::Inner", what capnpc-c++ made.
  uint32_t version;
  uint64_t schema_hash;
  std::vector<std::string> doc;
  std::vector<Method> methods;
  // All that it extends, also indirectly, each once, the nearest first.
  std::vector<const Interface*> bases;
};

// One schema file, and so one pair of generated files.
struct File {
  std::string path;  // As the request has it: "sub/tty.capnp".
  std::string cpp_namespace;
  std::vector<std::string> includes;  // With their brackets or quotes, sorted.
  // Those that others in the file extend come before these.
  std::vector<const Interface*> interfaces;
};

struct Model {
  std::vector<File> files;
  // All interfaces, also those that other files declare and these extend.
  std::vector<std::unique_ptr<Interface>> interfaces;
};

// Usable only if `diagnostics` has no errors afterwards.
Model BuildModel(const SchemaIndex& index, Diagnostics& diagnostics);

}  // namespace lwmsg::codegen
