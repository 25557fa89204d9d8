#pragma once

#include <cstdint>

#include "schema_index.h"

namespace lwmsg::codegen {

// Changes with everything that bytes or names on the wire can depend on, in the interface and in
// all types that it reaches: ids, names, ordinals, types, offsets, defaults. Not with comments, the
// order of declarations, the file's name, the interface's version, or what C++ calls things. The
// interfaces that it extends count by their ids: they have hashes of their own. The same on every
// machine: peers compare it.
uint64_t SchemaHash(const SchemaIndex& index, capnp::InterfaceSchema schema);

}  // namespace lwmsg::codegen
