#pragma once

#include <capnp/schema-loader.h>
#include <capnp/schema.capnp.h>
#include <capnp/schema.h>

#include <memory>
#include <set>
#include <span>
#include <vector>

#include "lwmsg/status.h"

namespace lwmsg::internal {

// No honest interface reaches as many types; a generic type that holds itself with ever other
// arguments has no end. Whoever walks types by recursion is no deeper than this.
constexpr size_t kMaxReachedTypes = 2000;

// The interface and every struct, group, enum and interface that it reaches: superclasses, params,
// results, what those hold, and the arguments of generic types. The same node with other arguments
// is another type. Error: kResourceExhausted beyond kMaxReachedTypes.
Result<std::vector<capnp::Schema>> ReachedSchemas(capnp::InterfaceSchema root);

// The nodes of all that `roots` reach, each once, in `orphanage`'s message: what describes the
// interfaces to somebody who does not have them. Error as above.
Result<capnp::Orphan<capnp::List<capnp::schema::Node>>> CollectNodes(
    std::span<const capnp::InterfaceSchema> roots, capnp::Orphanage orphanage);

// Schemas that a peer or a file brought. Immutable once loaded; what it gives out lives as long as
// it.
class ForeignSchema {
 public:
  // Copies the nodes. Error: kMalformed if they are no sound schema, kResourceExhausted if they are
  // too many.
  static Result<std::unique_ptr<ForeignSchema>> Load(
      capnp::List<capnp::schema::Node>::Reader nodes);

  // The interface with this id, of which all that it reaches was checked: each type is there, of
  // the right kind, and they have an end. Error: kNotFound, or kMalformed with what is wrong.
  Result<capnp::InterfaceSchema> Interface(uint64_t id) const;

 private:
  ForeignSchema() = default;
  Status CheckReached(capnp::InterfaceSchema root) const;
  Status CheckStruct(capnp::StructSchema schema) const;

  capnp::SchemaLoader loader_;
  std::set<uint64_t> ids_;
};

}  // namespace lwmsg::internal
