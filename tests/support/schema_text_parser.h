#pragma once

#include <capnp/schema-parser.h>
#include <kj/filesystem.h>

#include <memory>
#include <string>

namespace lwmsg::test {

// A schema that a test writes down: `text` is what a file would hold, without its id and imports,
// and can use `Lwmsg`. Interfaces and structs that two versions share need the same id.
class ParsedSchema {
 public:
  explicit ParsedSchema(const std::string& text);

  capnp::InterfaceSchema Interface(const char* name) const;

 private:
  // Read when the schema is asked for what it holds.
  kj::Own<const kj::Directory> folder_;
  kj::Own<const kj::Directory> imports_;
  std::unique_ptr<capnp::SchemaParser> parser_;
  capnp::ParsedSchema file_;
};

}  // namespace lwmsg::test
