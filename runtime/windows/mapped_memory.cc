#include "lwmsg/internal/mapped_memory.h"

#include <windows.h>
#include <winternl.h>

#include <string>
#include <utility>

#include "lwmsg/limit_hits.h"
#include "runtime/windows/ntdll.h"
#include "runtime/windows/system_status.h"

namespace lwmsg::internal {
namespace {

tl::unexpected<Status> SystemError(const char* what) {
  return Error(SystemStatus(what, GetLastError()));
}

tl::unexpected<Status> Refused(const std::string& why) {
  return Error(StatusCode::kMalformed, "the peer's shared memory " + why);
}

// NtQuerySection, as ntdll has it since Windows NT; winternl.h of mingw-w64 leaves it out.
struct SectionBasicInformation {
  void* base;
  ULONG attributes;
  LARGE_INTEGER size;
};
using QuerySection = NTSTATUS NTAPI(HANDLE, int, void*, SIZE_T, SIZE_T*);

// A section that is there as a whole (SEC_COMMIT) and no file's: reading it never fails.
Result<size_t> SizeOfSection(const OsHandle& section) {
  static auto* const query = FromNtdll<QuerySection>("NtQuerySection");
  SectionBasicInformation information{};
  constexpr int kBasicInformation = 0;
  if (query(section.get(), kBasicInformation, &information, sizeof(information), nullptr) < 0) {
    return Refused("is no section");
  }
  constexpr ULONG kOthers = SEC_FILE | SEC_IMAGE | SEC_RESERVE;
  if ((information.attributes & kOthers) != 0) return Refused("is a file's, or not all there");
  return static_cast<size_t>(information.size.QuadPart);
}

}  // namespace

Result<std::unique_ptr<MappedMemory>> MappedMemory::Create(size_t bytes) {
  if (Status status = CheckCount(); !status.ok()) return Error(std::move(status));
  const auto size = static_cast<uint64_t>(bytes);
  OsHandle section(CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE | SEC_COMMIT,
                                      static_cast<DWORD>(size >> 32), static_cast<DWORD>(size),
                                      nullptr));
  if (!section.valid()) return SystemError("cannot take memory to share");
  void* mapped = MapViewOfFile(section.get(), FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, bytes);
  if (mapped == nullptr) return SystemError("cannot map shared memory");
  return std::unique_ptr<MappedMemory>(
      new MappedMemory(std::move(section), {static_cast<std::byte*>(mapped), bytes}, false));
}

Result<std::unique_ptr<MappedMemory>> MappedMemory::Open(const OsHandle& memory, size_t most) {
  if (Status status = CheckCount(); !status.ok()) return Error(std::move(status));
  auto bytes = SizeOfSection(memory);
  if (!bytes) return Error(std::move(bytes).error());
  if (*bytes > most) {
    return Error(StatusCode::kResourceExhausted,
                 "the peer shares memory of " + std::to_string(*bytes) + " bytes; " +
                     std::to_string(most) + " are left of " + HitLimit(Limit::kMaxSharedBytes));
  }
  void* mapped = MapViewOfFile(memory.get(), FILE_MAP_READ, 0, 0, *bytes);
  if (mapped == nullptr) return SystemError("cannot map a peer's shared memory");
  return std::unique_ptr<MappedMemory>(
      new MappedMemory(OsHandle(), {static_cast<std::byte*>(mapped), *bytes}, false));
}

Result<OsHandle> MappedMemory::HandleToSend() const {
  HANDLE copy = nullptr;
  if (DuplicateHandle(GetCurrentProcess(), handle_.get(), GetCurrentProcess(), &copy,
                      SECTION_MAP_READ | SECTION_QUERY, FALSE, 0) == 0) {
    return SystemError("cannot make a read-only handle of shared memory");
  }
  return OsHandle(copy);
}

Result<OsHandle> MappedMemory::Seal() {
  Unmap();
  auto handle = HandleToSend();
  handle_.Close();
  return handle;
}

void MappedMemory::Unmap() {
  if (!bytes_.empty()) UnmapViewOfFile(bytes_.data());
  bytes_ = {};
}

}  // namespace lwmsg::internal
