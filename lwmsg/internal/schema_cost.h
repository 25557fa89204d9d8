#pragma once

#include <capnp/schema.capnp.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lwmsg/status.h"

namespace lwmsg::internal {

// What an interface may cost with all that it reaches, in bytes by NodeCost. An interface of 500
// types with ten fields each, of which three are of another type, costs half a MiB.
constexpr size_t kMaxSchemaCost = 4 << 20;

// What a node costs whoever loads, walks and compares it, beyond copying it.
struct NodeCost {
  size_t bytes = 0;
  // The types that it mentions, each as often as it does.
  std::vector<uint64_t> mentioned;
};

// By what capnp::SchemaLoader does (schema-loader.c++ of 0.9.2): at each mention of a type it makes
// a placeholder with the name of who mentions it, so that a name of half a message and mentions in
// the other half would cost the product of both; and all of that again for each list of type
// arguments. Defaults count because they are compared. Error: kMalformed, for a name longer than
// any, for more superclasses than anybody has, as each mention of an interface sorts them, or for
// more scopes of type arguments than types are ever nested in, as each mention of a parameter
// searches them.
Result<NodeCost> CostOf(capnp::schema::Node::Reader node);

}  // namespace lwmsg::internal
