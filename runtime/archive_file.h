#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"

namespace lwmsg::internal {

// A file of an archive; what archives need of an operating system. Everything here blocks. Errors
// name the path.
class ArchiveFile {
 public:
  static Result<std::unique_ptr<ArchiveFile>> OpenToRead(const std::string& path);
  // For reading, from where it stands.
  static std::unique_ptr<ArchiveFile> Adopt(OsHandle file);
  // A new file in the folder of `path`, under another name until it is published. It is removed if
  // it never is.
  static Result<std::unique_ptr<ArchiveFile>> CreateBeside(const std::string& path, uint32_t mode);
  // For reading and writing; nobody else can open it so meanwhile. Error: kUnavailable if somebody
  // has.
  static Result<std::unique_ptr<ArchiveFile>> OpenToAppend(const std::string& path);

  ArchiveFile(const ArchiveFile&) = delete;
  ArchiveFile& operator=(const ArchiveFile&) = delete;
  ~ArchiveFile();

  const std::string& path() const { return path_; }
  // How many bytes were read; 0 only at the end.
  Result<size_t> Read(std::span<unsigned char> to);
  Status Write(std::span<const unsigned char> from);
  // Ends the file at this size; the next Write goes there.
  Status Truncate(uint64_t size);
  // What was written is on the disk.
  Status Sync();
  // Gives a synced new file its name, in place of what had it, for good.
  Status Publish();

 private:
  ArchiveFile(OsHandle file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  OsHandle file_;
  std::string path_;
  // Not empty: not published yet.
  std::string temporary_path_;
};

}  // namespace lwmsg::internal
