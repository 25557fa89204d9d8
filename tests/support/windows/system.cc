#include "tests/support/system.h"

// clang-format off: in this order.
#include <windows.h>
#include <psapi.h>
// clang-format on

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "lwmsg/token.h"
#include "runtime/platform.h"
#include "runtime/windows/security.h"
#include "tests/support/windows/abort_unless.h"

namespace lwmsg::test {
namespace {

std::wstring Wide(const std::string& text) { return std::filesystem::path(text).wstring(); }

OsHandle Open(const std::string& path, DWORD access, DWORD disposition) {
  // Whoever else has it open may do what Unix allows.
  constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  const HANDLE file = CreateFileW(Wide(path).c_str(), access, kShareAll, nullptr, disposition,
                                  FILE_ATTRIBUTE_NORMAL, nullptr);
  return OsHandle(file == INVALID_HANDLE_VALUE ? nullptr : file);
}

std::wstring PipePath(const std::string& endpoint) {
  return Wide("\\\\.\\pipe\\" + endpoint.substr(endpoint.find(':') + 1));
}

OsPipe MakePipe(size_t bytes) {
  OsHandle::Native reader = nullptr;
  OsHandle::Native writer = nullptr;
  AbortUnless(CreatePipe(&reader, &writer, nullptr, static_cast<DWORD>(bytes)) != 0);
  return {OsHandle(reader), OsHandle(writer)};
}

PROCESS_MEMORY_COUNTERS Memory() {
  PROCESS_MEMORY_COUNTERS counters{};
  AbortUnless(GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters)) != 0);
  return counters;
}

}  // namespace

OsHandle OpenNull() { return Open(NullPath(), GENERIC_READ, OPEN_EXISTING); }

std::string NullPath() { return "NUL"; }

OsHandle OpenFile(const std::string& path) { return Open(path, GENERIC_READ, OPEN_EXISTING); }

OsHandle OpenToAppend(const std::string& path) {
  // Without FILE_WRITE_DATA each write goes to the end (ZwCreateFile).
  OsHandle file = Open(path, FILE_APPEND_DATA, OPEN_ALWAYS);
  AbortUnless(file.valid());
  return file;
}

OsHandle FileWith(const std::string& content) {
  OsPipe pipe = MakePipe(std::max<size_t>(content.size(), 1));
  AbortUnless(WriteAll(pipe.writer, content));
  return std::move(pipe.reader);
}

OsPipe MakeOsPipe() { return MakePipe(64 << 10); }

std::string ReadSome(const OsHandle& file, size_t size) {
  std::string content(size, '\0');
  size_t got = 0;
  while (got < size) {
    DWORD more = 0;
    const auto wanted = static_cast<DWORD>(size - got);
    // The end of a pipe is an error.
    if (ReadFile(file.get(), content.data() + got, wanted, &more, nullptr) == 0 || more == 0) break;
    got += more;
  }
  content.resize(got);
  return content;
}

std::string ReadAll(const OsHandle& file) {
  constexpr size_t kPiece = 4096;
  std::string content;
  std::string piece;
  do {
    piece = ReadSome(file, kPiece);
    content += piece;
  } while (piece.size() == kPiece);
  return content;
}

bool WriteAll(const OsHandle& file, std::string_view bytes) {
  DWORD written = 0;
  const auto size = static_cast<DWORD>(bytes.size());
  return WriteFile(file.get(), bytes.data(), size, &written, nullptr) != 0 && written == size;
}

uint64_t PositionOf(const OsHandle& file) {
  LARGE_INTEGER position{};
  AbortUnless(SetFilePointerEx(file.get(), {}, &position, FILE_CURRENT) != 0);
  return static_cast<uint64_t>(position.QuadPart);
}

void SetPosition(const OsHandle& file, uint64_t position) {
  LARGE_INTEGER to{};
  to.QuadPart = static_cast<LONGLONG>(position);
  AbortUnless(SetFilePointerEx(file.get(), to, nullptr, FILE_BEGIN) != 0);
}

bool SameFile(const OsHandle& a, const OsHandle& b) {
  BY_HANDLE_FILE_INFORMATION of_a{};
  BY_HANDLE_FILE_INFORMATION of_b{};
  if (GetFileType(a.get()) == FILE_TYPE_DISK && GetFileType(b.get()) == FILE_TYPE_DISK &&
      GetFileInformationByHandle(a.get(), &of_a) != 0 &&
      GetFileInformationByHandle(b.get(), &of_b) != 0) {
    return of_a.dwVolumeSerialNumber == of_b.dwVolumeSerialNumber &&
           of_a.nFileIndexHigh == of_b.nFileIndexHigh && of_a.nFileIndexLow == of_b.nFileIndexLow;
  }
  // Since Windows 10, and not in mingw's import libraries.
  using Compare = BOOL(WINAPI*)(HANDLE, HANDLE);
  static const auto compare = reinterpret_cast<Compare>(reinterpret_cast<void*>(
      GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "CompareObjectHandles")));
  return compare != nullptr && compare(a.get(), b.get()) != 0;
}

bool IsOpen(OsHandle::Native number) {
  DWORD flags = 0;
  return GetHandleInformation(number, &flags) != 0;
}

// Handles are multiples of four, and small (Raymond Chen, "Why are kernel HANDLEs always a multiple
// of four?").
OsHandle::Native NumberOfNothing() { return reinterpret_cast<OsHandle::Native>(0x7ffffffc); }

bool IsInherited(OsHandle::Native number) {
  DWORD flags = 0;
  return GetHandleInformation(number, &flags) != 0 && (flags & HANDLE_FLAG_INHERIT) != 0;
}

void MakeInherited(const OsHandle& file) {
  AbortUnless(SetHandleInformation(file.get(), HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) != 0);
}

std::string NewName() {
  static std::atomic<int> last = 0;
  return "lwmsg-" + std::to_string(GetCurrentProcessId()) + "-" + std::to_string(++last);
}

std::string EndpointIn(const std::string& folder, const std::string& name) {
  return "pipe:lwmsg-test-" + std::filesystem::path(folder).filename().string() + "-" + name;
}

std::vector<std::string> EndpointsIn(const std::string& folder) {
  return {EndpointIn(folder, "s")};
}

bool EndpointExists(const std::string& endpoint) {
  return WaitNamedPipeW(PipePath(endpoint).c_str(), 1) != 0 ||
         GetLastError() != ERROR_FILE_NOT_FOUND;
}

// A pipe's path has at most 256 characters (CreateNamedPipe).
std::string TooLongEndpoint() { return "pipe:" + std::string(300, 'x'); }

OsHandle ListenPlainly(const std::string& endpoint) {
  // Without a descriptor of its own a pipe has no owner in Wine, and no client would trust it.
  auto security = internal::PipeSecurity::Make({});
  AbortUnless(security.has_value());
  SECURITY_ATTRIBUTES attributes = security->attributes();
  const HANDLE pipe =
      CreateNamedPipeW(PipePath(endpoint).c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                       PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, PIPE_UNLIMITED_INSTANCES,
                       64 << 10, 64 << 10, 0, &attributes);
  AbortUnless(pipe != INVALID_HANDLE_VALUE);
  return OsHandle(pipe);
}

// A pipe keeps the size that it was made with.
void LimitBuffer(const OsHandle& /*end*/, int /*bytes*/) {}

uint32_t OwnProcessId() { return GetCurrentProcessId(); }

std::optional<uint32_t> OwnUser() { return internal::OwnToken().euid(); }

std::optional<uint32_t> OwnGroup() { return internal::OwnToken().egid(); }

// In the C library too: it keeps a copy of its own for getenv.
void SetEnvironment(const std::string& name, const std::string& value) {
  AbortUnless(_putenv_s(name.c_str(), value.c_str()) == 0);
}

void UnsetEnvironment(const std::string& name) { AbortUnless(_putenv_s(name.c_str(), "") == 0); }

size_t MemoryInUse() { return Memory().WorkingSetSize; }

size_t PeakMemory() { return Memory().PeakWorkingSetSize; }

size_t PeakPromisedMemory() { return Memory().PeakPagefileUsage; }

// Wine takes about ten times as long for a message.
int Times(int count) { return (count + 9) / 10; }

}  // namespace lwmsg::test
