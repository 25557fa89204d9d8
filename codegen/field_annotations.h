#pragma once

#include "diagnostics.h"
#include "schema_index.h"

namespace lwmsg::codegen {

// Reports the annotations of lwmsg.capnp that a field has and that do not fit it. `user` is where
// to report what is wrong in files that were not requested.
void CheckFieldAnnotations(const SchemaIndex& index, capnp::StructSchema::Field field,
                           const Location& user, Diagnostics& diagnostics);

// The same for all fields that a requested file declares, also those that no method reaches.
void CheckAllFieldAnnotations(const SchemaIndex& index, capnp::Schema file,
                              Diagnostics& diagnostics);

}  // namespace lwmsg::codegen
