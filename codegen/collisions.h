#pragma once

#include "diagnostics.h"
#include "schema_index.h"
#include "schema_model.h"

namespace lwmsg::codegen {

// Report names that differ in the schema but not in the generated code.

// Among the members of the classes that are generated for `interface`, with all that it inherits.
void CheckMemberNames(const SchemaIndex& index, const Interface& interface,
                      Diagnostics& diagnostics);
// Among what is generated for `file` in its namespace, and what Cap'n Proto generates there.
void CheckFileNames(const SchemaIndex& index, const File& file, capnp::Schema node,
                    Diagnostics& diagnostics);

}  // namespace lwmsg::codegen
