#include "runtime/archive_file.h"

#include <windows.h>

#include <algorithm>
#include <utility>

#include "runtime/windows/pipe_name.h"
#include "runtime/windows/system_status.h"
#include "runtime/windows/wide_text.h"

namespace lwmsg::internal {
namespace {

Status SystemError(const std::string& what, const std::string& path) {
  return SystemStatus("cannot " + what + " archive '" + path + "'", GetLastError());
}

// Whoever reads it does not keep it from being replaced or removed, as on Unix.
constexpr DWORD kShareWithReaders = FILE_SHARE_READ | FILE_SHARE_DELETE;

Result<OsHandle> Open(const std::string& path, DWORD access, DWORD share, DWORD how) {
  auto wide = ToWide(path);
  if (!wide) return Error(std::move(wide).error());
  return OsHandle(
      CreateFileW(wide->c_str(), access, share, nullptr, how, FILE_ATTRIBUTE_NORMAL, nullptr));
}

}  // namespace

Result<std::unique_ptr<ArchiveFile>> ArchiveFile::OpenToRead(const std::string& path) {
  auto file = Open(path, GENERIC_READ, kShareWithReaders | FILE_SHARE_WRITE, OPEN_EXISTING);
  if (!file) return Error(std::move(file).error());
  if (!file->valid()) return Error(SystemError("open", path));
  return std::unique_ptr<ArchiveFile>(new ArchiveFile(std::move(*file), path));
}

std::unique_ptr<ArchiveFile> ArchiveFile::Adopt(OsHandle file) {
  std::string name = "handle " + std::to_string(reinterpret_cast<uintptr_t>(file.get()));
  return std::unique_ptr<ArchiveFile>(new ArchiveFile(std::move(file), std::move(name)));
}

// The mode is Unix's: here a file has the permissions that its folder gives to what is made there.
Result<std::unique_ptr<ArchiveFile>> ArchiveFile::CreateBeside(const std::string& path,
                                                               uint32_t /*mode*/) {
  auto random = RandomText();
  if (!random) return Error(std::move(random).error());
  std::string temporary = path + "." + *random;
  auto file = Open(temporary, GENERIC_READ | GENERIC_WRITE | DELETE, kShareWithReaders, CREATE_NEW);
  if (!file) return Error(std::move(file).error());
  if (!file->valid()) return Error(SystemError("create", path));
  std::unique_ptr<ArchiveFile> archive(new ArchiveFile(std::move(*file), path));
  archive->temporary_path_ = std::move(temporary);
  return archive;
}

Result<std::unique_ptr<ArchiveFile>> ArchiveFile::OpenToAppend(const std::string& path) {
  auto file = Open(path, GENERIC_READ | GENERIC_WRITE, kShareWithReaders, OPEN_EXISTING);
  if (!file) return Error(std::move(file).error());
  if (!file->valid()) {
    if (GetLastError() != ERROR_SHARING_VIOLATION) return Error(SystemError("open", path));
    return Error(StatusCode::kUnavailable, "another writer appends to archive '" + path + "'");
  }
  return std::unique_ptr<ArchiveFile>(new ArchiveFile(std::move(*file), path));
}

ArchiveFile::~ArchiveFile() {
  if (temporary_path_.empty()) return;
  if (auto wide = ToWide(temporary_path_)) DeleteFileW(wide->c_str());
}

Result<size_t> ArchiveFile::Read(std::span<unsigned char> to) {
  DWORD count = 0;
  const auto most = static_cast<DWORD>(std::min<size_t>(to.size(), 1 << 30));
  if (ReadFile(file_.get(), to.data(), most, &count, nullptr) == 0) {
    // Of a pipe whose writer has gone.
    if (GetLastError() == ERROR_BROKEN_PIPE) return size_t{0};
    return Error(SystemError("read", path_));
  }
  return static_cast<size_t>(count);
}

Status ArchiveFile::Write(std::span<const unsigned char> from) {
  while (!from.empty()) {
    DWORD count = 0;
    const auto most = static_cast<DWORD>(std::min<size_t>(from.size(), 1 << 30));
    if (WriteFile(file_.get(), from.data(), most, &count, nullptr) == 0) {
      return SystemError("write", path_);
    }
    from = from.subspan(count);
  }
  return Status();
}

Status ArchiveFile::Truncate(uint64_t size) {
  LARGE_INTEGER end{};
  end.QuadPart = static_cast<int64_t>(size);
  if (SetFilePointerEx(file_.get(), end, nullptr, FILE_BEGIN) == 0 ||
      SetEndOfFile(file_.get()) == 0) {
    return SystemError("cut", path_);
  }
  return Status();
}

Status ArchiveFile::Sync() {
  return FlushFileBuffers(file_.get()) != 0 ? Status() : SystemError("sync", path_);
}

Status ArchiveFile::Publish() {
  auto from = ToWide(temporary_path_);
  auto to = ToWide(path_);
  if (!from || !to ||
      MoveFileExW(from->c_str(), to->c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) ==
          0) {
    return SystemError("rename", path_);
  }
  temporary_path_.clear();
  return Status();
}

}  // namespace lwmsg::internal
