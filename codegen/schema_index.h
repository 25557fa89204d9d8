#pragma once

#include <capnp/schema-loader.h>
#include <capnp/schema.capnp.h>
#include <capnp/schema.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "diagnostics.h"
#include "source_lines.h"

namespace lwmsg::codegen {

using CodeGeneratorRequest = capnp::schema::CodeGeneratorRequest;
using Annotations = capnp::List<capnp::schema::Annotation>::Reader;

// Of capnp/c++.capnp and lwmsg/lwmsg.capnp, whose generated C++ does not have the ids of
// annotations.
inline constexpr uint64_t kCxxNamespaceId = 0xb9c6f99ebf805f2c;
inline constexpr uint64_t kCxxNameId = 0xf264a779fef191ce;
inline constexpr uint64_t kVersionId = 0xc5d28e614fb03a97;
inline constexpr uint64_t kOneWayId = 0xd7f61b0c92e5843d;
inline constexpr uint64_t kStreamId = 0xa93c5d08e7f1426b;
inline constexpr uint64_t kTimeoutId = 0x8b14f7ac3960de52;
inline constexpr uint64_t kBlockingId = 0xf52e90b7d4168ac3;
inline constexpr uint64_t kHandleId = 0xf0b3d7c25e814a69;
inline constexpr uint64_t kOsHandleId = 0xe2a1c4b67d905f13;
inline constexpr uint64_t kSharedMemoryId = 0xd81e5f0a3b92c647;
// Of capnp/stream.capnp: what `-> stream` means.
inline constexpr uint64_t kStreamResultId = 0x995f9a3377c0b16e;

std::optional<capnp::schema::Value::Reader> FindAnnotation(Annotations annotations, uint64_t id);

// The request, with what it lacks: look-up by id, scopes, lines. The request must outlive it.
class SchemaIndex {
 public:
  // Reads the requested schema files from `source_dir`, or from the current folder if they are not
  // there; a file that is in neither place has no lines.
  SchemaIndex(CodeGeneratorRequest::Reader request, const std::string& source_dir);

  CodeGeneratorRequest::Reader request() const { return request_; }
  capnp::Schema Get(uint64_t id) const { return loader_.get(id); }
  // The file node around `node`, nothing for the struct of a parameter list.
  std::optional<capnp::Schema> FileOf(capnp::Schema node) const;
  // The node around `node`; nothing if that is the file.
  std::optional<capnp::Schema> ScopeOf(capnp::Schema node) const;

  // Doc comments by line; empty if there are none.
  std::vector<std::string> NodeDoc(capnp::Schema node) const;
  std::vector<std::string> MemberDoc(capnp::Schema node, uint32_t index) const;

  // "Outer.Inner".
  static std::string ScopedName(capnp::Schema node);
  // Where `node`, or its member of that name, is declared. Nothing if its file was not requested.
  std::optional<Location> Locate(capnp::Schema node, const std::string& member = "") const;
  // A requested file as a whole.
  Location LocateFile(capnp::Schema file) const;

 private:
  struct Source {
    std::string path;
    SourceLines lines;
  };

  CodeGeneratorRequest::Reader request_;
  capnp::SchemaLoader loader_;
  std::map<uint64_t, capnp::schema::Node::SourceInfo::Reader> infos_;
  // By the display name of the file, which is how all display names in it begin.
  std::map<std::string, Source> sources_;
};

}  // namespace lwmsg::codegen
