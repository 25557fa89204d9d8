#include "tests/support/inventory.h"

#include <uv.h>
#include <windows.h>
#include <winternl.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "tests/support/windows/handle_table.h"

namespace lwmsg::test {
namespace {

// The system gives out the lowest free number, so that after this many unused ones there are no
// more.
constexpr uintptr_t kLongestGap = 1024;

template <typename Function>
Function OfNtdll(const char* name) {
  static const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  return reinterpret_cast<Function>(reinterpret_cast<void*>(GetProcAddress(ntdll, name)));
}

// "File", "Event" and so on.
std::string TypeOf(HANDLE handle) {
  // Of ntdll, as phnt and Wine have it; <winternl.h> has not.
  constexpr ULONG kObjectTypeInformation = 2;
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
  std::map<OsHandle::Native, std::string> descriptors;
  // One by one: the system's list of all handles (SystemExtendedHandleInformation) makes the server
  // of Wine 8 read beyond the table of a process that has none yet, or no longer, and die at times.
  uintptr_t last = 0;
  for (uintptr_t number = 4; number - last <= 4 * kLongestGap; number += 4) {
    auto* const handle = reinterpret_cast<HANDLE>(number);
    DWORD flags = 0;
    if (GetHandleInformation(handle, &flags) == 0) continue;
    last = number;
    std::string type = TypeOf(handle);
    if (WouldBeALeak(type)) descriptors[handle] = std::move(type);
  }
  return descriptors;
}

size_t CountHandles(uint32_t pid) {
  const std::vector<std::byte> bytes = AllHandles();
  const auto* table = reinterpret_cast<const HandleTable*>(bytes.data());
  return static_cast<size_t>(
      std::count_if(table->entries, table->entries + table->count,
                    [pid](const HandleEntry& entry) { return entry.process == pid; }));
}

std::map<std::string, size_t> CountOwnHandlesByKind() {
  const std::vector<std::byte> bytes = AllHandles();
  const auto* table = reinterpret_cast<const HandleTable*>(bytes.data());
  std::map<std::string, size_t> counts;
  for (ULONG_PTR i = 0; i < table->count; ++i) {
    const HandleEntry& entry = table->entries[i];
    if (entry.process == GetCurrentProcessId()) {
      ++counts[TypeOf(reinterpret_cast<HANDLE>(entry.number))];
    }
  }
  return counts;
}

}  // namespace lwmsg::test
