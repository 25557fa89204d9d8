#pragma once

#include <capnp/message.h>
#include <schema/archive.capnp.h>

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lwmsg/internal/payload_type.h"
#include "lwmsg/internal/reached_schemas.h"
#include "lwmsg/protocol.h"
#include "lwmsg/status.h"

namespace lwmsg::internal {

// `protocols` and all that they extend, each once.
std::vector<const Protocol*> AllInterfaces(const std::vector<const Protocol*>& protocols);

// Fills the header of a new archive. Error: kResourceExhausted, see CollectNodes.
Status DescribeInterfaces(const std::vector<const Protocol*>& interfaces,
                          archive::Header::Builder header);

// What the header of an archive says about its records.
class ArchiveSchema {
 public:
  // Error: kMalformed or kResourceExhausted, without the place in the file.
  static Result<std::shared_ptr<ArchiveSchema>> Load(archive::Header::Reader header);

  // Whether a program that knows `interfaces` can read the records. Error: kUnimplemented, with the
  // field or, if `strict`, the interface or method.
  Status Check(const std::vector<const Protocol*>& interfaces, bool strict) const;

  // The type of a record's message; null if there is no such method.
  const PayloadType* Find(uint64_t interface_id, uint16_t method, bool reply);
  // "Sample.open call", of one that there is.
  std::string Name(uint64_t interface_id, uint16_t method, bool reply) const;
  std::string Text() const;

 private:
  ArchiveSchema() = default;

  std::unique_ptr<ForeignSchema> nodes_;
  std::map<uint64_t, capnp::InterfaceSchema> interfaces_;
  struct Hash {
    size_t operator()(const capnp::Schema& schema) const { return schema.hashCode(); }
  };
  // Made when they are first needed, one for all methods with the same struct.
  std::unordered_map<capnp::Schema, std::unique_ptr<PayloadType>, Hash> types_;
};

}  // namespace lwmsg::internal
