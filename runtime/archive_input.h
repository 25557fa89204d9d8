#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <schema/archive.capnp.h>

#include <memory>
#include <string>

#include "lwmsg/archive.h"
#include "runtime/archive_block.h"
#include "runtime/archive_file.h"
#include "runtime/archive_schema.h"

namespace lwmsg::internal {

// One block in memory.
struct BlockMessage {
  explicit BlockMessage(kj::Array<capnp::word> content);

  // As for messages of associations: limited while it is checked, unlimited afterwards.
  kj::Array<capnp::word> words;
  capnp::FlatArrayMessageReader checked;
  capnp::FlatArrayMessageReader unlimited;
};

struct ArchiveRecordState {
  explicit ArchiveRecordState(std::unique_ptr<BlockMessage> content)
      : block(std::move(content)), record(block->unlimited.getRoot<archive::Block>().getRecord()) {}

  std::unique_ptr<BlockMessage> block;
  archive::Record::Reader record;
  std::shared_ptr<ArchiveSchema> schema;
  const PayloadType* type = nullptr;
  std::string name;
  const Protocol* protocol = nullptr;
  const MethodInfo* method = nullptr;
};

// An archive that is read, block by block and checked: what ArchiveReader and an appending
// ArchiveWriter share.
class ArchiveInput {
 public:
  // Reads the header and checks it against what the program knows.
  static Result<std::unique_ptr<ArchiveInput>> Open(std::unique_ptr<ArchiveFile> file,
                                                    const std::vector<const Protocol*>& protocols,
                                                    const ArchiveReaderOptions& options);

  // Null at the end. An error stays.
  Result<std::unique_ptr<ArchiveRecordState>> Next();

  ArchiveFile& file() { return *file_; }
  std::unique_ptr<ArchiveFile> TakeFile() { return std::move(file_); }
  BlockReader& blocks() { return blocks_; }
  const BlockReader& blocks() const { return blocks_; }
  const std::shared_ptr<ArchiveSchema>& schema() const { return schema_; }
  // The file has an end, and nothing behind it.
  bool finished() const { return finished_; }
  // The file has an end.
  bool ended() const { return ended_; }

 private:
  ArchiveInput(std::unique_ptr<ArchiveFile> file, std::vector<const Protocol*> interfaces,
               const ArchiveReaderOptions& options);
  Status ReadHeader();
  Result<std::unique_ptr<ArchiveRecordState>> Read();
  Result<std::unique_ptr<ArchiveRecordState>> ReadRecord(std::unique_ptr<BlockMessage> block);
  Result<std::unique_ptr<BlockMessage>> NextBlock(uint32_t max_bytes);
  Status ReadEnd(uint64_t records);

  std::unique_ptr<ArchiveFile> file_;
  BlockReader blocks_;
  std::vector<const Protocol*> interfaces_;
  ArchiveReaderOptions options_;
  std::shared_ptr<ArchiveSchema> schema_;
  Status failure_;
  bool ended_ = false;
  bool finished_ = false;
};

}  // namespace lwmsg::internal
