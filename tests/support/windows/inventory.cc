#include "tests/support/inventory.h"

#include <uv.h>
#include <windows.h>
#include <winternl.h>

#include <cstdint>
#include <cstdlib>
#include <set>
#include <vector>

namespace lwmsg::test {
namespace {

// Of ntdll, as phnt and Wine have them; <winternl.h> has not.
constexpr ULONG kExtendedHandleInformation = 64;
constexpr ULONG kObjectTypeInformation = 2;
constexpr ULONG kTooSmall = 0xc0000004;

struct HandleEntry {
  void* object;
  ULONG_PTR process;
  ULONG_PTR number;
  ULONG access;
  USHORT creator;
  USHORT type;
  ULONG attributes;
  ULONG reserved;
};

struct HandleTable {
  ULONG_PTR count;
  ULONG_PTR reserved;
  HandleEntry entries[1];
};

template <typename Function>
Function OfNtdll(const char* name) {
  static const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  return reinterpret_cast<Function>(reinterpret_cast<void*>(GetProcAddress(ntdll, name)));
}

// The handles of all processes.
std::vector<std::byte> AllHandles() {
  using Query = NTSTATUS(NTAPI*)(ULONG, void*, ULONG, ULONG*);
  static const auto query = OfNtdll<Query>("NtQuerySystemInformation");
  std::vector<std::byte> table(1 << 16);
  while (true) {
    ULONG size = 0;
    const NTSTATUS status =
        query(kExtendedHandleInformation, table.data(), static_cast<ULONG>(table.size()), &size);
    if (status >= 0) return table;
    if (static_cast<ULONG>(status) != kTooSmall) std::abort();
    table.resize(2 * table.size());
  }
}

// "File", "Event" and so on.
std::string TypeOf(HANDLE handle) {
  using Query = NTSTATUS(NTAPI*)(HANDLE, ULONG, void*, ULONG, ULONG*);
  static const auto query = OfNtdll<Query>("NtQueryObject");
  alignas(UNICODE_STRING) std::byte buffer[1024];
  ULONG size = 0;
  if (query(handle, kObjectTypeInformation, buffer, sizeof(buffer), &size) < 0) return "";
  const auto* name = reinterpret_cast<const UNICODE_STRING*>(buffer);
  std::string text;
  for (size_t i = 0; i < name->Length / sizeof(wchar_t); ++i) {
    text += static_cast<char>(name->Buffer[i]);
  }
  return text;
}

// Not those that the C library, the loader and threads open when they need them first, and keep:
// events, semaphores, threads, registry keys.
bool WouldBeALeak(const std::string& type) {
  static const std::set<std::string> types = {"File", "Section", "Process",     "Token",
                                              "Job",  "Timer",   "IoCompletion"};
  return types.count(type) != 0;
}

// libuv and Winsock keep what they open for the first loop of the process.
void OpenWhatLibuvKeeps() {
  uv_loop_t loop;
  if (uv_loop_init(&loop) != 0 || uv_loop_close(&loop) != 0) std::abort();
}

}  // namespace

std::map<OsHandle::Native, std::string> OpenDescriptors() {
  static const bool opened = (OpenWhatLibuvKeeps(), true);
  static_cast<void>(opened);
  const std::vector<std::byte> bytes = AllHandles();
  const auto* table = reinterpret_cast<const HandleTable*>(bytes.data());
  std::map<OsHandle::Native, std::string> descriptors;
  for (ULONG_PTR i = 0; i < table->count; ++i) {
    const HandleEntry& entry = table->entries[i];
    if (entry.process != GetCurrentProcessId()) continue;
    auto* const handle = reinterpret_cast<HANDLE>(entry.number);
    std::string type = TypeOf(handle);
    if (WouldBeALeak(type)) descriptors[handle] = std::move(type);
  }
  return descriptors;
}

}  // namespace lwmsg::test
