#pragma once

#include <capnp/dynamic.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lwmsg/os_handle.h"
#include "lwmsg/print.h"
#include "lwmsg/protocol.h"
#include "lwmsg/status.h"

namespace lwmsg {

// Archives: files of messages that carry their schema, so that a program of another version, or one
// that knows nothing of the protocol, can read them. schema/archive.capnp has the format. What is
// here blocks, needs no loop, and may be used on any one thread at a time.

namespace internal {
struct ArchiveWriterState;
struct ArchiveReaderState;
struct ArchiveRecordState;
}  // namespace internal

struct ArchiveWriterOptions {
  // Of a new file, whatever the umask is.
  uint32_t mode = 0600;
  // Also keep the values of fields that are `$Lwmsg.sensitive`.
  bool keep_sensitive = false;
  // Larger records are refused, by the writer as by readers with the same limit.
  uint32_t max_record_bytes = 16 << 20;
};

// Writes messages to a file. OS handles cannot be stored: their fields become "no handle", and the
// record counts them. Names of session objects (`Handle`) are stored as numbers, which mean nothing
// to another session. Fields that the program's schema does not know, and what is behind an
// AnyPointer, are kept as they are.
class ArchiveWriter {
 public:
  // A new file that takes the place of what `path` names when it is finished, and not before: it is
  // written under another name in the same folder, which goes if the writer is destroyed. Records
  // can be of `protocols` and of what these extend. Error: kNotFound or kPermissionDenied for the
  // folder.
  static Result<ArchiveWriter> Create(const std::string& path,
                                      const std::vector<const Protocol*>& protocols,
                                      const ArchiveWriterOptions& options = {});
  // More records for a finished file. Reads all of it first; what is left of an append that broke
  // off is cut off. The file keeps its schema: only methods that it has can be written. Error:
  // kNotFound; kMalformed if it is damaged; kUnimplemented if its schema is not compatible;
  // kUnavailable if another writer appends to it.
  static Result<ArchiveWriter> Append(const std::string& path,
                                      const std::vector<const Protocol*>& protocols,
                                      const ArchiveWriterOptions& options = {});

  ArchiveWriter(ArchiveWriter&&) noexcept;
  ArchiveWriter& operator=(ArchiveWriter&&) noexcept;
  // Without Finish: a new file is removed, what was appended stays.
  ~ArchiveWriter();

  // Any generated Reader or Builder of the params or results of one method. Error: kInvalidArgument
  // if no method of the protocols has that type, or several have (then say which, below);
  // kMalformed if the message is not sound; kResourceExhausted if it or the disk is too small;
  // kFailedPrecondition if the file's schema lacks the method. An error other than that of the disk
  // leaves the writer usable.
  template <typename Message>
  Status Write(const Message& message) {
    return WriteMessage(ReaderOf(message));
  }
  // The same, for types that several methods have. `method` is its name in the schema.
  template <typename Message>
  Status WriteCall(const Protocol& protocol, std::string_view method, const Message& params) {
    return WriteMessage(protocol, method, false, ReaderOf(params));
  }
  template <typename Message>
  Status WriteReply(const Protocol& protocol, std::string_view method, const Message& results) {
    return WriteMessage(protocol, method, true, ReaderOf(results));
  }

  // What was written is on the disk when this returns.
  Status Sync();
  // As Sync, and the file is whole; a new one takes its name. Nothing can be written afterwards.
  Status Finish();

  // How many records the file has.
  uint64_t records() const;
  // How many bytes of a broken append were cut off.
  uint64_t cut_bytes() const;

 private:
  explicit ArchiveWriter(std::unique_ptr<internal::ArchiveWriterState> state);
  Status WriteMessage(const capnp::DynamicStruct::Reader& message);
  Status WriteMessage(const Protocol& protocol, std::string_view method, bool reply,
                      const capnp::DynamicStruct::Reader& message);
  template <typename Message>
  static capnp::DynamicStruct::Reader ReaderOf(const Message& message) {
    if constexpr (requires { message.asReader(); }) {
      return message.asReader();
    } else {
      return message;
    }
  }

  std::unique_ptr<internal::ArchiveWriterState> state_;
};

struct ArchiveReaderOptions {
  // A file with interfaces or methods that the program does not know is refused. Otherwise
  // their records can be read by the file's own schema.
  bool strict = false;
  // What a damaged or hostile file can make the reader hold in memory.
  uint32_t max_record_bytes = 16 << 20;
  uint32_t max_schema_bytes = 4 << 20;
};

// One message of an archive. Owns its bytes; readers of it end with it.
class ArchiveRecord {
 public:
  ArchiveRecord(ArchiveRecord&&) noexcept;
  ArchiveRecord& operator=(ArchiveRecord&&) noexcept;
  ~ArchiveRecord();

  uint64_t interface_id() const;
  // The ordinal.
  uint16_t method() const;
  // Results, not params.
  bool is_reply() const;
  // "Sample.open call" or "Sample.open reply", by the file's schema.
  const std::string& name() const;
  // When it was written.
  std::chrono::system_clock::time_point time() const;
  // How many OS handles the message had when it was written.
  uint32_t dropped_handles() const;

  // What the program has for it; null if it does not know the interface or the method.
  const Protocol* protocol() const;
  const MethodInfo* method_info() const;

  // The message as the program has it: `Struct` is the type of the params or results. What the
  // file's schema lacks reads as its default. No accessor of it throws. Error: kInvalidArgument if
  // the record is of another type, kUnimplemented if the program does not know it, kMalformed.
  template <typename Struct>
  Result<typename Struct::Reader> As() const {
    Status status = CheckType(capnp::Schema::from<Struct>());
    if (!status.ok()) return Error(std::move(status));
    return message().template getAs<Struct>();
  }
  // The message by the file's own schema, which the record keeps alive. No accessor throws.
  capnp::DynamicStruct::Reader Dynamic() const;
  // "Sample.open call (path = ...)".
  std::string ToString(const PrintOptions& options = {}) const;

 private:
  friend class ArchiveReader;
  explicit ArchiveRecord(std::unique_ptr<internal::ArchiveRecordState> state);
  Status CheckType(capnp::StructSchema type) const;
  capnp::AnyPointer::Reader message() const;

  std::unique_ptr<internal::ArchiveRecordState> state_;
};

// Reads a file from its start to its end, one record in memory at a time.
class ArchiveReader {
 public:
  // For a program that knows `protocols`, which may be none. Interfaces that both know must be
  // compatible; each side may know methods and fields that the other does not. Error: kNotFound or
  // kPermissionDenied; kMalformed if this is no archive, with the offset; kUnimplemented if the
  // schemas are not compatible, with the field; kResourceExhausted if the schema is over the limit.
  static Result<ArchiveReader> Open(const std::string& path,
                                    const std::vector<const Protocol*>& protocols = {},
                                    const ArchiveReaderOptions& options = {});
  // The same, of an open file from where it stands; it need not be able to seek.
  static Result<ArchiveReader> Open(OsHandle file,
                                    const std::vector<const Protocol*>& protocols = {},
                                    const ArchiveReaderOptions& options = {});

  ArchiveReader(ArchiveReader&&) noexcept;
  ArchiveReader& operator=(ArchiveReader&&) noexcept;
  ~ArchiveReader();

  // The next record; nothing at the end. Error: kMalformed if the file is damaged or cut short,
  // kResourceExhausted if the record is over the limit, both with its number and offset; what comes
  // after cannot be read.
  Result<std::optional<ArchiveRecord>> Next();

  // How many records were read.
  uint64_t records() const;
  // Where the next block of the file starts.
  uint64_t offset() const;
  // At the end: false if records were appended by a writer that did not finish.
  bool finished() const;
  // The interfaces of the file, much as their schema files have them.
  std::string SchemaText() const;

 private:
  explicit ArchiveReader(std::unique_ptr<internal::ArchiveReaderState> state);

  std::unique_ptr<internal::ArchiveReaderState> state_;
};

}  // namespace lwmsg
