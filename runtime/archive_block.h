#pragma once

#include <capnp/common.h>
#include <capnp/message.h>
#include <kj/array.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lwmsg/status.h"
#include "runtime/archive_file.h"

namespace lwmsg::internal {

// The blocks of archives, see schema/archive.capnp.

// CRC-32C (Castagnoli), as iSCSI and ext4 have it.
uint32_t Crc32c(std::span<const unsigned char> bytes);

// A message as a whole block.
std::vector<unsigned char> MakeBlock(capnp::MessageBuilder& message);

// Reads a file block by block.
class BlockReader {
 public:
  explicit BlockReader(ArchiveFile& file) : file_(file) {}

  // The words of the next block's message; nothing at the end of the file. Error: kMalformed if the
  // file is damaged or cut short, kResourceExhausted beyond `max_bytes`.
  Result<std::optional<kj::Array<capnp::word>>> Next(uint32_t max_bytes);

  // Where the next block starts; after an error, the one that cannot be read.
  uint64_t offset() const { return offset_; }
  // The block that cannot be read is what an append that broke off leaves.
  bool torn() const { return torn_; }
  // How many bytes there are from there to the end of the file.
  Result<uint64_t> Remaining();

  // Of the blocks that were read, those that are records.
  uint64_t records() const { return records_; }
  void CountRecord() { ++records_; }

  // About the block that was read last: "archive 'x', offset 96, after 2 records: `what`".
  Status Damage(const std::string& what, StatusCode code = StatusCode::kMalformed) const;

 private:
  Status Read(std::span<unsigned char> to, size_t& count);
  Result<bool> OnlyZerosLeft(std::span<const unsigned char> header);

  ArchiveFile& file_;
  std::vector<unsigned char> buffer_;
  size_t buffered_from_ = 0;
  uint64_t offset_ = 0;
  // How far the file was read for the block at offset_.
  uint64_t read_ = 0;
  // Where the block that was read last starts.
  uint64_t last_ = 0;
  uint64_t records_ = 0;
  bool torn_ = false;
};

}  // namespace lwmsg::internal
