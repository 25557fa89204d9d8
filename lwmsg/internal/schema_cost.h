#pragma once

#include <capnp/schema.capnp.h>

#include <cstddef>

#include "lwmsg/status.h"

namespace lwmsg::internal {

// What an interface may cost with all that it reaches, in bytes by SchemaCost. An interface of 500
// types with ten fields each, of which three are of another type, costs half a MiB.
constexpr size_t kMaxSchemaCost = 4 << 20;

// What capnp::SchemaLoader does for a node beyond copying it (schema-loader.c++ of 0.9.2): at each
// mention of a type, a placeholder for it with the name of who mentions it, so that a name of half
// a message and mentions in the other half would cost the product of both; and a look at each
// member, again for each list of type arguments. Error: kMalformed, for more scopes of type
// arguments than types are ever nested in, as each mention of a parameter searches them.
Result<size_t> SchemaCost(capnp::schema::Node::Reader node);

}  // namespace lwmsg::internal
