#include "files.h"

#include <windows.h>

#include <filesystem>
#include <vector>

#include "system_error.h"

using lwmsg::Error;
using lwmsg::OsHandle;
using lwmsg::Result;
using lwmsg::Status;

namespace {

Result<OsHandle> Open(const std::string& path, DWORD access, DWORD disposition) {
  const HANDLE file = CreateFileW(std::filesystem::path(path).c_str(), access, FILE_SHARE_READ,
                                  nullptr, disposition, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE)
    return Error(SystemError("cannot open " + path, GetLastError()));
  return OsHandle(file);
}

OVERLAPPED At(uint64_t offset) {
  OVERLAPPED place{};
  place.Offset = static_cast<DWORD>(offset);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return place;
}

Status Append(HANDLE to, kj::ArrayPtr<const kj::byte> data) {
  while (data.size() > 0) {
    DWORD size = 0;
    if (!WriteFile(to, data.begin(), static_cast<DWORD>(data.size()), &size, nullptr)) {
      return SystemError("cannot write", GetLastError());
    }
    data = data.slice(size, data.size());
  }
  return Status();
}

}  // namespace

Result<OsHandle> OpenLocal(const std::string& path) {
  return Open(path, GENERIC_READ, OPEN_EXISTING);
}

Result<OsHandle> MakeLocal(const std::string& path) {
  return Open(path, GENERIC_WRITE, CREATE_ALWAYS);
}

Result<size_t> ReadAt(const OsHandle& file, uint64_t offset, kj::ArrayPtr<kj::byte> data) {
  OVERLAPPED place = At(offset);
  DWORD size = 0;
  if (!ReadFile(file.get(), data.begin(), static_cast<DWORD>(data.size()), &size, &place) &&
      GetLastError() != ERROR_HANDLE_EOF) {
    return Error(SystemError("cannot read", GetLastError()));
  }
  return size;
}

Status WriteAt(const OsHandle& file, uint64_t offset, kj::ArrayPtr<const kj::byte> data) {
  while (data.size() > 0) {
    OVERLAPPED place = At(offset);
    DWORD size = 0;
    if (!WriteFile(file.get(), data.begin(), static_cast<DWORD>(data.size()), &size, &place)) {
      return SystemError("cannot write", GetLastError());
    }
    offset += size;
    data = data.slice(size, data.size());
  }
  return Status();
}

Status CopyRest(const OsHandle& from, const OsHandle& to) {
  std::vector<kj::byte> chunk(1 << 20);
  while (true) {
    DWORD size = 0;
    if (!ReadFile(from.get(), chunk.data(), static_cast<DWORD>(chunk.size()), &size, nullptr)) {
      return SystemError("cannot read", GetLastError());
    }
    if (size == 0) return Status();
    Status appended = Append(to.get(), kj::arrayPtr(chunk.data(), size));
    if (!appended.ok()) return appended;
  }
}

Status Print(kj::ArrayPtr<const kj::byte> data) {
  return Append(GetStdHandle(STD_OUTPUT_HANDLE), data);
}
