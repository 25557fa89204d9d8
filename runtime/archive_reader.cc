#include <kj/exception.h>

#include <utility>

#include "lwmsg/archive.h"
#include "lwmsg/internal/schema_text.h"
#include "runtime/archive_input.h"

namespace lwmsg {

namespace internal {

struct ArchiveReaderState {
  std::unique_ptr<ArchiveInput> input;
};

}  // namespace internal

ArchiveRecord::ArchiveRecord(std::unique_ptr<internal::ArchiveRecordState> state)
    : state_(std::move(state)) {}
ArchiveRecord::ArchiveRecord(ArchiveRecord&&) noexcept = default;
ArchiveRecord& ArchiveRecord::operator=(ArchiveRecord&&) noexcept = default;
ArchiveRecord::~ArchiveRecord() = default;

uint64_t ArchiveRecord::interface_id() const { return state_->record.getInterfaceId(); }
uint16_t ArchiveRecord::method() const { return state_->record.getMethod(); }
bool ArchiveRecord::is_reply() const { return state_->record.getReply(); }
const std::string& ArchiveRecord::name() const { return state_->name; }
uint32_t ArchiveRecord::dropped_handles() const { return state_->record.getDroppedHandles(); }
const Protocol* ArchiveRecord::protocol() const { return state_->protocol; }
const MethodInfo* ArchiveRecord::method_info() const { return state_->method; }
capnp::AnyPointer::Reader ArchiveRecord::message() const { return state_->record.getMessage(); }

std::chrono::system_clock::time_point ArchiveRecord::time() const {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::microseconds(state_->record.getTimeMicros())));
}

Status ArchiveRecord::CheckType(capnp::StructSchema type) const {
  if (state_->method == nullptr) {
    return Status(StatusCode::kUnimplemented,
                  "this program does not know the method of " + name() + "; use Dynamic()");
  }
  const internal::PayloadType& known =
      is_reply() ? state_->method->results() : state_->method->params();
  if (known.schema() != type) {
    return Status(StatusCode::kInvalidArgument, "the message of " + name() + " is a " +
                                                    internal::TypeName(known.schema()) +
                                                    ", not a " + internal::TypeName(type));
  }
  // The file's schema is another one, and the checks of it do not count for this one. Limited like
  // them: what the file's schema does not have may claim any number of elements that take no room.
  capnp::FlatArrayMessageReader limited(state_->block->words, state_->block->checked.getOptions());
  return known.CheckReadable(limited.getRoot<archive::Block>().getRecord().getMessage(),
                             state_->block->words.size());
}

capnp::DynamicStruct::Reader ArchiveRecord::Dynamic() const {
  return message().getAs<capnp::DynamicStruct>(state_->type->schema());
}

std::string ArchiveRecord::ToString(const PrintOptions& options) const {
  return name() + " " + lwmsg::Print(Dynamic(), options);
}

ArchiveReader::ArchiveReader(std::unique_ptr<internal::ArchiveReaderState> state)
    : state_(std::move(state)) {}
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;
ArchiveReader::~ArchiveReader() = default;

Result<ArchiveReader> ArchiveReader::Open(const std::string& path,
                                          const std::vector<const Protocol*>& protocols,
                                          const ArchiveReaderOptions& options) {
  auto file = internal::ArchiveFile::OpenToRead(path);
  if (!file) return Error(file.error());
  auto input = internal::ArchiveInput::Open(std::move(*file), protocols, options);
  if (!input) return Error(input.error());
  return ArchiveReader(std::make_unique<internal::ArchiveReaderState>(std::move(*input)));
}

Result<ArchiveReader> ArchiveReader::Open(OsHandle file,
                                          const std::vector<const Protocol*>& protocols,
                                          const ArchiveReaderOptions& options) {
  auto input = internal::ArchiveInput::Open(internal::ArchiveFile::Adopt(std::move(file)),
                                            protocols, options);
  if (!input) return Error(input.error());
  return ArchiveReader(std::make_unique<internal::ArchiveReaderState>(std::move(*input)));
}

Result<std::optional<ArchiveRecord>> ArchiveReader::Next() {
  auto record = state_->input->Next();
  if (!record) return Error(record.error());
  if (!*record) return std::nullopt;
  return ArchiveRecord(std::move(*record));
}

uint64_t ArchiveReader::records() const { return state_->input->blocks().records(); }
uint64_t ArchiveReader::offset() const { return state_->input->blocks().offset(); }
bool ArchiveReader::finished() const { return state_->input->finished(); }
std::string ArchiveReader::SchemaText() const { return state_->input->schema()->Text(); }

}  // namespace lwmsg
