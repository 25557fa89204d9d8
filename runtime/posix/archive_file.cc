#include "runtime/archive_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace lwmsg::internal {
namespace {

StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return StatusCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
      return StatusCode::kResourceExhausted;
    default:
      return StatusCode::kInternal;
  }
}

Status SystemError(const std::string& what, const std::string& path) {
  const int error = errno;
  return Status(CodeOf(error), "cannot " + what + " archive '" + path +
                                   "': " + std::generic_category().message(error));
}

}  // namespace

Result<std::unique_ptr<ArchiveFile>> ArchiveFile::OpenToRead(const std::string& path) {
  OsHandle file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file.valid()) return Error(SystemError("open", path));
  return std::unique_ptr<ArchiveFile>(new ArchiveFile(std::move(file), path));
}

std::unique_ptr<ArchiveFile> ArchiveFile::Adopt(OsHandle file) {
  std::string name = "descriptor " + std::to_string(file.get());
  return std::unique_ptr<ArchiveFile>(new ArchiveFile(std::move(file), std::move(name)));
}

Result<std::unique_ptr<ArchiveFile>> ArchiveFile::CreateBeside(const std::string& path,
                                                               uint32_t mode) {
  std::string temporary = path + ".XXXXXX";
  OsHandle file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.valid()) return Error(SystemError("create", path));
  const int number = file.get();
  std::unique_ptr<ArchiveFile> archive(new ArchiveFile(std::move(file), path));
  archive->temporary_path_ = std::move(temporary);
  if (fchmod(number, static_cast<mode_t>(mode)) != 0) {
    return Error(SystemError("set the mode of", path));
  }
  return archive;
}

Result<std::unique_ptr<ArchiveFile>> ArchiveFile::OpenToAppend(const std::string& path) {
  OsHandle file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!file.valid()) return Error(SystemError("open", path));
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Error(SystemError("lock", path));
    return Error(StatusCode::kUnavailable, "another writer appends to archive '" + path + "'");
  }
  return std::unique_ptr<ArchiveFile>(new ArchiveFile(std::move(file), path));
}

ArchiveFile::~ArchiveFile() {
  if (!temporary_path_.empty()) static_cast<void>(unlink(temporary_path_.c_str()));
}

Result<size_t> ArchiveFile::Read(std::span<unsigned char> to) {
  ssize_t count = 0;
  do {
    count = read(file_.get(), to.data(), to.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) return Error(SystemError("read", path_));
  return static_cast<size_t>(count);
}

Status ArchiveFile::Write(std::span<const unsigned char> from) {
  while (!from.empty()) {
    const ssize_t count = write(file_.get(), from.data(), from.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("write", path_);
    from = from.subspan(static_cast<size_t>(count));
  }
  return Status();
}

Status ArchiveFile::Truncate(uint64_t size) {
  const auto end = static_cast<off_t>(size);
  if (ftruncate(file_.get(), end) != 0 || lseek(file_.get(), end, SEEK_SET) != end) {
    return SystemError("cut", path_);
  }
  return Status();
}

Status ArchiveFile::Sync() {
  return fsync(file_.get()) == 0 ? Status() : SystemError("sync", path_);
}

Status ArchiveFile::Publish() {
  if (rename(temporary_path_.c_str(), path_.c_str()) != 0) return SystemError("rename", path_);
  temporary_path_.clear();
  const size_t slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  OsHandle opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid() || fsync(opened.get()) != 0) return SystemError("sync the folder of", path_);
  return Status();
}

}  // namespace lwmsg::internal
