#include "runtime/archive_input.h"

#include <kj/exception.h>

#include <utility>

#include "lwmsg/internal/schema_text.h"

namespace lwmsg::internal {
namespace {

capnp::ReaderOptions Limited(size_t words) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 8 * words + 1024;
  return options;
}

capnp::ReaderOptions Unlimited() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = kj::maxValue;
  return options;
}

// What Cap'n Proto's own stream readers take; its reader of arrays takes any count, and 2^32 as 0.
bool TooManySegments(kj::ArrayPtr<const capnp::word> words) {
  const auto bytes = words.asBytes();
  return bytes.size() < 8 || bytes[3] != 0 || bytes[2] != 0 || bytes[1] > 1;
}

std::string Quote(const kj::Exception& error) {
  return QuotedText(error.getDescription().cStr(), 300);
}

}  // namespace

BlockMessage::BlockMessage(kj::Array<capnp::word> content)
    : words(kj::mv(content)),
      checked(words, Limited(words.size())),
      unlimited(words, Unlimited()) {}

ArchiveInput::ArchiveInput(std::unique_ptr<ArchiveFile> file,
                           std::vector<const Protocol*> interfaces,
                           const ArchiveReaderOptions& options)
    : file_(std::move(file)),
      blocks_(*file_),
      interfaces_(std::move(interfaces)),
      options_(options) {}

Result<std::unique_ptr<ArchiveInput>> ArchiveInput::Open(
    std::unique_ptr<ArchiveFile> file, const std::vector<const Protocol*>& protocols,
    const ArchiveReaderOptions& options) {
  std::unique_ptr<ArchiveInput> input(
      new ArchiveInput(std::move(file), AllInterfaces(protocols), options));
  Status status = input->ReadHeader();
  if (!status.ok()) return Error(std::move(status));
  return input;
}

Status ArchiveInput::ReadHeader() {
  auto block = NextBlock(options_.max_schema_bytes);
  if (!block) return block.error();
  if (!*block) return blocks_.Damage("the file is empty");
  try {
    auto root = (*block)->checked.getRoot<archive::Block>();
    if (!root.isHeader()) return blocks_.Damage("the first block is no header");
    auto schema = ArchiveSchema::Load(root.getHeader());
    if (!schema) return blocks_.Damage(schema.error().message(), schema.error().code());
    schema_ = std::move(*schema);
  } catch (const kj::Exception& error) {
    return blocks_.Damage("the header is not sound: " + Quote(error));
  }
  Status status = schema_->Check(interfaces_, options_.strict);
  if (status.ok()) return status;
  return Status(status.code(), "archive '" + file_->path() + "': " + status.message());
}

Result<std::unique_ptr<BlockMessage>> ArchiveInput::NextBlock(uint32_t max_bytes) {
  auto words = blocks_.Next(max_bytes);
  if (!words) return Error(words.error());
  if (!*words) return nullptr;
  const size_t size = (*words)->size();
  if (TooManySegments(**words)) return Error(blocks_.Damage("the block is no message"));
  try {
    auto block = std::make_unique<BlockMessage>(kj::mv(**words));
    if (block->checked.getEnd() != block->words.end()) {
      return Error(blocks_.Damage("the block of " + std::to_string(size) +
                                  " words holds a message of another size"));
    }
    block->checked.getRoot<archive::Block>();
    return block;
  } catch (const kj::Exception& error) {
    return Error(blocks_.Damage("the block is no message: " + Quote(error)));
  }
}

Result<std::unique_ptr<ArchiveRecordState>> ArchiveInput::Next() {
  if (!failure_.ok()) return Error(failure_);
  auto record = Read();
  if (!record) failure_ = record.error();
  return record;
}

Result<std::unique_ptr<ArchiveRecordState>> ArchiveInput::Read() {
  while (true) {
    auto block = NextBlock(options_.max_record_bytes);
    if (!block) return Error(block.error());
    if (!*block) {
      if (ended_) return nullptr;
      return Error(blocks_.Damage("the file has no end; it was cut short"));
    }
    auto root = (*block)->unlimited.getRoot<archive::Block>();
    if (root.isRecord()) return ReadRecord(std::move(*block));
    Status status = root.isEnd() ? ReadEnd(root.getEnd())
                                 : blocks_.Damage("the block is neither a record nor an end");
    if (!status.ok()) return Error(std::move(status));
  }
}

Status ArchiveInput::ReadEnd(uint64_t records) {
  if (records != blocks_.records()) {
    return blocks_.Damage("the end counts " + std::to_string(records) + " records");
  }
  ended_ = finished_ = true;
  return Status();
}

Result<std::unique_ptr<ArchiveRecordState>> ArchiveInput::ReadRecord(
    std::unique_ptr<BlockMessage> block) {
  try {
    auto state = std::make_unique<ArchiveRecordState>(std::move(block));
    auto checked = state->block->checked.getRoot<archive::Block>().getRecord();
    const uint64_t id = checked.getInterfaceId();
    const uint16_t method = checked.getMethod();
    state->type = schema_->Find(id, method, checked.getReply());
    if (state->type == nullptr) {
      return Error(blocks_.Damage("the record is of method " + std::to_string(method) +
                                  " of the interface with the id " + std::to_string(id) +
                                  ", which the file's schema does not have"));
    }
    state->name = schema_->Name(id, method, checked.getReply());
    Status sound = state->type->CheckReadable(checked.getMessage(), state->block->words.size());
    if (!sound.ok()) return Error(blocks_.Damage(state->name + ": " + sound.message()));
    state->schema = schema_;
    for (const Protocol* protocol : interfaces_) {
      if (protocol->id != id || method >= protocol->methods.size()) continue;
      state->protocol = protocol;
      state->method = &protocol->methods[method];
    }
    finished_ = false;
    blocks_.CountRecord();
    return state;
  } catch (const kj::Exception& error) {
    return Error(blocks_.Damage("the record is not sound: " + Quote(error)));
  }
}

}  // namespace lwmsg::internal
