#pragma once

#include <string>
#include <string_view>

#include "schema_index.h"

namespace lwmsg::codegen {

// How capnpc-c++ names things: these must follow it, as what we generate uses what it generates.

// "open" -> "Open".
std::string TitleCase(std::string_view name);

// The name of a method or field, or what $Cxx.name says instead.
template <typename Member>
std::string CppMemberName(Member member) {
  auto name = FindAnnotation(member.getAnnotations(), kCxxNameId);
  return name ? name->getText().cStr() : member.getName().cStr();
}

// What $Cxx.namespace says, "" without it.
std::string CppNamespace(capnp::Schema file);
// The namespace as a prefix: "::tty::", or "::".
std::string CppNamespacePrefix(const std::string& name);

// The name of a type in its scope.
std::string CppShortName(const SchemaIndex& index, capnp::Schema node);
// The names of a type and of the types around it in one: "OuterInner".
std::string CppFlatName(const SchemaIndex& index, capnp::Schema node);
// "::tty::Box<::capnp::Text>::Inner". Not for the structs of parameter and result lists.
std::string CppFullName(const SchemaIndex& index, capnp::Schema node);

}  // namespace lwmsg::codegen
