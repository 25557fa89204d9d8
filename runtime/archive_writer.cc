#include <kj/exception.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "lwmsg/archive.h"
#include "lwmsg/internal/redaction.h"
#include "lwmsg/internal/schema_text.h"
#include "runtime/archive_input.h"

namespace lwmsg {

namespace internal {
namespace {

// One method of the protocols, and which of its messages.
struct Place {
  const Protocol* protocol = nullptr;
  uint16_t method = 0;
  bool reply = false;
};

capnp::StructSchema TypeAt(const Place& place) {
  const MethodInfo& method = place.protocol->methods[place.method];
  return (place.reply ? method.results() : method.params()).schema();
}

std::string NameOf(const Place& place) {
  return MethodName(*place.protocol, place.protocol->methods[place.method]) +
         (place.reply ? " reply" : " call");
}

}  // namespace

struct ArchiveWriterState {
  ArchiveWriterState(std::unique_ptr<ArchiveFile> opened,
                     const std::vector<const Protocol*>& protocols,
                     const ArchiveWriterOptions& chosen)
      : file(std::move(opened)),
        options(chosen),
        interfaces(AllInterfaces(protocols)),
        redaction(chosen.keep_sensitive) {}

  Result<Place> FindType(capnp::StructSchema type) const;
  Result<Place> FindMethod(const Protocol& protocol, std::string_view name, bool reply) const;
  Status WriteHeader();
  Status WriteRecord(const Place& place, const capnp::DynamicStruct::Reader& message);
  Status MakeRecord(const Place& place, const capnp::DynamicStruct::Reader& message,
                    archive::Block::Builder block, bool& holes);
  Status WriteBlock(capnp::MessageBuilder& message);

  std::unique_ptr<ArchiveFile> file;
  ArchiveWriterOptions options;
  std::vector<const Protocol*> interfaces;
  Redaction redaction;
  // Of the file that is appended to; null for a new one.
  std::shared_ptr<ArchiveSchema> schema;
  uint64_t size = 0;
  uint64_t records = 0;
  uint64_t cut_bytes = 0;
  // Why nothing can be written any more.
  Status ended;
};

Result<Place> ArchiveWriterState::FindType(capnp::StructSchema type) const {
  std::vector<Place> found;
  for (const Protocol* protocol : interfaces) {
    const auto count = static_cast<uint16_t>(protocol->methods.size());
    for (uint16_t i = 0; i < count; ++i) {
      for (const bool reply : {false, true}) {
        const Place place{protocol, i, reply};
        if (TypeAt(place) == type) found.push_back(place);
      }
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return Error(StatusCode::kInvalidArgument,
                 TypeName(type) + " is not the params or results of a method of this archive");
  }
  return Error(StatusCode::kInvalidArgument, TypeName(type) + " is the message of both " +
                                                 NameOf(found[0]) + " and " + NameOf(found[1]) +
                                                 "; use WriteCall or WriteReply");
}

Result<Place> ArchiveWriterState::FindMethod(const Protocol& protocol, std::string_view name,
                                             bool reply) const {
  const bool known = std::any_of(interfaces.begin(), interfaces.end(),
                                 [&](const Protocol* one) { return one->id == protocol.id; });
  for (uint16_t i = 0; known && i < protocol.methods.size(); ++i) {
    if (protocol.methods[i].name == name) return Place{&protocol, i, reply};
  }
  return Error(StatusCode::kInvalidArgument,
               std::string(protocol.name) +
                   (known ? " has no method " : " is not in this archive: ") +
                   QuotedText(name, 100));
}

Status ArchiveWriterState::WriteHeader() {
  capnp::MallocMessageBuilder message;
  Status status = DescribeInterfaces(interfaces, message.initRoot<archive::Block>().initHeader());
  return status.ok() ? WriteBlock(message) : status;
}

Status ArchiveWriterState::WriteRecord(const Place& place,
                                       const capnp::DynamicStruct::Reader& message) {
  if (!ended.ok()) return ended;
  if (schema && schema->Find(place.protocol->id, place.method, place.reply) == nullptr) {
    return Status(StatusCode::kFailedPrecondition,
                  NameOf(place) + " is not in the schema of archive '" + file->path() +
                      "', which is older than this program; write a new one");
  }
  try {
    capnp::MallocMessageBuilder builder;
    auto block = builder.initRoot<archive::Block>();
    bool holes = false;
    Status status = MakeRecord(place, message, block, holes);
    if (!status.ok()) return status;
    if (holes) {
      capnp::MallocMessageBuilder compact;
      compact.setRoot(block.asReader());
      status = WriteBlock(compact);
    } else {
      status = WriteBlock(builder);
    }
    if (status.ok()) ++records;
    return status;
  } catch (const kj::Exception& error) {
    return Status(StatusCode::kMalformed,
                  NameOf(place) + ": " + QuotedText(error.getDescription().cStr(), 300));
  }
}

Status ArchiveWriterState::MakeRecord(const Place& place,
                                      const capnp::DynamicStruct::Reader& message,
                                      archive::Block::Builder block, bool& holes) {
  if (message.getSchema() != TypeAt(place)) {
    return Status(StatusCode::kInvalidArgument, "the message of " + NameOf(place) + " is a " +
                                                    TypeName(TypeAt(place)) + ", not a " +
                                                    TypeName(message.getSchema()));
  }
  auto record = block.initRecord();
  record.setInterfaceId(place.protocol->id);
  record.setMethod(place.method);
  record.setReply(place.reply);
  record.setTimeMicros(std::chrono::duration_cast<std::chrono::microseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count());
  record.getMessage().setAs<capnp::DynamicStruct>(message);
  const auto outcome =
      redaction.Run(record.getMessage().getAs<capnp::DynamicStruct>(message.getSchema()));
  record.setDroppedHandles(outcome.handles);
  holes = outcome.holes;
  const MethodInfo& method = place.protocol->methods[place.method];
  return (place.reply ? method.results() : method.params())
      .CheckReadable(record.getMessage().asReader());
}

Status ArchiveWriterState::WriteBlock(capnp::MessageBuilder& message) {
  const std::vector<unsigned char> block = MakeBlock(message);
  if (block.size() > options.max_record_bytes && size != 0) {
    return Status(StatusCode::kResourceExhausted, "a record of " + std::to_string(block.size()) +
                                                      " bytes; the limit is " +
                                                      std::to_string(options.max_record_bytes) +
                                                      ", ArchiveWriterOptions::max_record_bytes");
  }
  Status status = file->Write(block);
  if (status.ok()) {
    size += block.size();
    return status;
  }
  // Nobody may find half a record.
  static_cast<void>(file->Truncate(size).ok());
  return ended = std::move(status);
}

}  // namespace internal

ArchiveWriter::ArchiveWriter(std::unique_ptr<internal::ArchiveWriterState> state)
    : state_(std::move(state)) {}
ArchiveWriter::ArchiveWriter(ArchiveWriter&&) noexcept = default;
ArchiveWriter& ArchiveWriter::operator=(ArchiveWriter&&) noexcept = default;
ArchiveWriter::~ArchiveWriter() = default;

Result<ArchiveWriter> ArchiveWriter::Create(const std::string& path,
                                            const std::vector<const Protocol*>& protocols,
                                            const ArchiveWriterOptions& options) {
  auto file = internal::ArchiveFile::CreateBeside(path, options.mode);
  if (!file) return Error(file.error());
  auto state = std::make_unique<internal::ArchiveWriterState>(std::move(*file), protocols, options);
  Status status = state->WriteHeader();
  if (!status.ok()) return Error(std::move(status));
  return ArchiveWriter(std::move(state));
}

Result<ArchiveWriter> ArchiveWriter::Append(const std::string& path,
                                            const std::vector<const Protocol*>& protocols,
                                            const ArchiveWriterOptions& options) {
  auto file = internal::ArchiveFile::OpenToAppend(path);
  if (!file) return Error(file.error());
  auto opened = internal::ArchiveInput::Open(std::move(*file), protocols,
                                             {.max_record_bytes = options.max_record_bytes});
  if (!opened) return Error(opened.error());
  internal::ArchiveInput& input = **opened;
  auto record = input.Next();
  while (record && *record) record = input.Next();
  const uint64_t end = input.blocks().offset();
  uint64_t cut = 0;
  if (!record) {
    if (!input.ended() || !input.blocks().torn()) return Error(record.error());
    auto remaining = input.blocks().Remaining();
    if (!remaining) return Error(remaining.error());
    cut = *remaining;
  }
  Status status = input.file().Truncate(end);
  if (!status.ok()) return Error(std::move(status));
  auto state = std::make_unique<internal::ArchiveWriterState>(input.TakeFile(), protocols, options);
  state->schema = input.schema();
  state->size = end;
  state->records = input.blocks().records();
  state->cut_bytes = cut;
  return ArchiveWriter(std::move(state));
}

Status ArchiveWriter::WriteMessage(const capnp::DynamicStruct::Reader& message) {
  auto place = state_->FindType(message.getSchema());
  return place ? state_->WriteRecord(*place, message) : place.error();
}

Status ArchiveWriter::WriteMessage(const Protocol& protocol, std::string_view method, bool reply,
                                   const capnp::DynamicStruct::Reader& message) {
  auto place = state_->FindMethod(protocol, method, reply);
  return place ? state_->WriteRecord(*place, message) : place.error();
}

Status ArchiveWriter::Sync() {
  if (!state_->ended.ok()) return state_->ended;
  Status status = state_->file->Sync();
  // What could not be written once may be gone, and a second sync would not say so.
  if (!status.ok()) state_->ended = status;
  return status;
}

Status ArchiveWriter::Finish() {
  if (!state_->ended.ok()) return state_->ended;
  capnp::MallocMessageBuilder end;
  end.initRoot<archive::Block>().setEnd(state_->records);
  Status status = state_->WriteBlock(end);
  if (status.ok()) status = Sync();
  if (status.ok() && state_->schema == nullptr) status = state_->file->Publish();
  state_->ended =
      status.ok() ? Status(StatusCode::kFailedPrecondition, "the archive is finished") : status;
  // Others may append now.
  if (status.ok()) state_->file.reset();
  return status;
}

uint64_t ArchiveWriter::records() const { return state_->records; }
uint64_t ArchiveWriter::cut_bytes() const { return state_->cut_bytes; }

}  // namespace lwmsg
