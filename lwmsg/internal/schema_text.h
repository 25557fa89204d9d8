#pragma once

#include <capnp/schema.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace lwmsg::internal {

// Names and types of schemas as text, also of schemas that a peer or a file brought: what is no
// plain text is escaped, and what is long is cut.

// In quotes, control characters escaped, cut after `max` bytes with the count of what was left out.
std::string QuotedText(std::string_view text, size_t max);
// A name in a schema: at most 100 characters, without quotes.
std::string SafeName(std::string_view name);
// With its file-level scope: "Sample", or "Outer.Inner".
std::string ScopedName(capnp::schema::Node::Reader node);
// As the schema language writes it: "List(Text)", "Handle(File)".
std::string TypeName(capnp::Type type);

// The type that the nth argument of a generic type stands for; of a type that is not generic,
// AnyPointer.
capnp::Type BrandArgument(capnp::Schema schema, unsigned index);

// An interface with its methods and all the types that it reaches, in the manner of the schema
// language; cut after a MiB.
std::string InterfaceText(capnp::InterfaceSchema schema);

}  // namespace lwmsg::internal
