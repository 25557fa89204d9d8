#pragma once

#include <capnp/schema.capnp.h>
#include <capnp/schema.h>

#include <string>
#include <vector>

#include "lwmsg/status.h"

namespace lwmsg::internal {

// What keeps messages of one side's interface from being read by the other side, in either
// direction, each like
//   Sample.open params: field "path" is Text here and Data there
// and at most 20 of them. None: the two are compatible, by Cap'n Proto's rules of evolution
// (capnproto.org/language.html, "Evolving Your Protocol"): fields, methods, superclasses and
// enumerants may be added at the end, everything may be renamed, a field may move into a new group
// or as the first member into a new union, and a list may become a list of structs whose first
// field is what it held. Beyond that, Data and List(UInt8) are the same, a Void may become
// something, and params and results may be any structs that are compatible.
//
// `theirs` is from ForeignSchema::Interface or compiled in. Never throws.
std::vector<std::string> SchemaDifferences(capnp::InterfaceSchema ours,
                                           capnp::InterfaceSchema theirs);

// The same for a description that came from a peer or a file: OK if compatible. Error:
// kUnimplemented with the first differences, kMalformed or kResourceExhausted if the nodes are not
// sound, kNotFound if the interface is not among them.
Status CheckCompatible(capnp::InterfaceSchema ours,
                       capnp::List<capnp::schema::Node>::Reader theirs);

// The differences as the error that CheckCompatible gives, OK if there are none.
Status DifferenceStatus(capnp::InterfaceSchema ours, const std::vector<std::string>& differences);

}  // namespace lwmsg::internal
