#pragma once

#include <string>
#include <vector>

#include "diagnostics.h"
#include "schema_index.h"
#include "schema_model.h"

namespace lwmsg::codegen {

// Walks all types that one params or results struct reaches, reports what cannot travel in a
// message, and finds the fields that get an owner of an OS handle.
class PayloadReader {
 public:
  // `method` is where to report what is wrong in files that were not requested; `name` says
  // whose payload it is: "Broker.open".
  PayloadReader(const SchemaIndex& index, Diagnostics& diagnostics, Location method,
                std::string name);

  // `list` is "params" or "results".
  std::vector<HandleField> Read(capnp::StructSchema root, const std::string& list);

 private:
  // `user` is where the type that is walked was asked for.
  void WalkStruct(capnp::StructSchema schema, const Location& user);
  void WalkField(capnp::StructSchema::Field field, const Location& user);
  void WalkType(capnp::Type type, const Location& user);
  void Report(const Location& where, const std::string& what);

  const SchemaIndex& index_;
  Diagnostics& diagnostics_;
  Location method_;
  std::string name_;
  std::vector<std::string> path_;
  std::vector<capnp::Schema> seen_;
};

}  // namespace lwmsg::codegen
