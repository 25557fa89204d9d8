#include "tests/support/inventory.h"

#include <uv.h>
#include <windows.h>
#include <winternl.h>

#include <cstdint>
#include <cstdlib>
#include <set>
#include <utility>

#include "runtime/closer.h"
#include "runtime/windows/pipe_name.h"
#include "runtime/windows/wide_text.h"
#include "tests/support/windows/abort_unless.h"
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

// Calls `look` with numbers that may be handles; it says whether one is. One by one: the system's
// list of all handles (SystemExtendedHandleInformation) makes the server of Wine 8 read beyond the
// table of a process that has none yet, or no longer, and die at times.
template <typename Look>
void LookAtNumbers(Look look) {
  uintptr_t last = 0;
  for (uintptr_t number = 4; number - last <= 4 * kLongestGap; number += 4) {
    if (look(reinterpret_cast<HANDLE>(number))) last = number;
  }
}

bool IsOwnHandle(HANDLE handle) {
  DWORD flags = 0;
  return GetHandleInformation(handle, &flags) != 0;
}

// Not those that the C library, the loader and threads open when they need them first, and keep:
// events, semaphores, threads, registry keys.
bool WouldBeALeak(const std::string& type) {
  static const std::set<std::string> types = {"File", "Section", "Process",     "Token",
                                              "Job",  "Timer",   "IoCompletion"};
  return types.count(type) != 0;
}

// Calls `look` with a copy of each handle of a process.
template <typename Look>
void LookAtHandlesOf(uint32_t pid, Look look) {
  const OsHandle process(OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid));
  LookAtNumbers([&](HANDLE handle) {
    HANDLE copy = nullptr;
    if (DuplicateHandle(process.get(), handle, GetCurrentProcess(), &copy, 0, FALSE,
                        DUPLICATE_SAME_ACCESS) == 0) {
      return false;
    }
    look(OsHandle(copy));
    return true;
  });
}

// libuv and Winsock keep what they open for the first loop of the process.
void OpenWhatLibuvKeeps() {
  uv_loop_t loop;
  AbortUnless(uv_loop_init(&loop) == 0 && uv_loop_close(&loop) == 0);
}

}  // namespace

std::map<OsHandle::Native, std::string> OpenDescriptors() {
  internal::FinishClosing();
  static const bool opened = (OpenWhatLibuvKeeps(), true);
  static_cast<void>(opened);
  std::map<OsHandle::Native, std::string> descriptors;
  LookAtNumbers([&](HANDLE handle) {
    if (!IsOwnHandle(handle)) return false;
    std::string type = TypeOf(handle);
    if (WouldBeALeak(type)) descriptors[handle] = std::move(type);
    return true;
  });
  return descriptors;
}

bool SameObject(const OsHandle& a, const OsHandle& b) {
  // Since Windows 10, and not in mingw's import libraries.
  using Compare = BOOL(WINAPI*)(HANDLE, HANDLE);
  static const auto compare = reinterpret_cast<Compare>(reinterpret_cast<void*>(
      GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "CompareObjectHandles")));
  return compare(a.get(), b.get()) != 0;
}

size_t CountHandles(uint32_t pid) {
  size_t count = 0;
  LookAtHandlesOf(pid, [&](const OsHandle&) { ++count; });
  return count;
}

size_t CountHandlesOf(uint32_t pid, const OsHandle& own) {
  size_t count = 0;
  LookAtHandlesOf(pid, [&](const OsHandle& copy) { count += SameObject(copy, own) ? 1 : 0; });
  return count;
}

std::vector<std::string> NamesOfPipes(uint32_t pid) {
  std::vector<std::string> names;
  LookAtHandlesOf(pid, [&](const OsHandle& copy) {
    if (TypeOf(copy.get()) != "File" || GetFileType(copy.get()) != FILE_TYPE_PIPE) return;
    std::string name = internal::ToUtf8(internal::NameOfPipe(copy));
    if (!name.empty()) names.push_back(std::move(name));
  });
  return names;
}

std::map<std::string, size_t> CountOwnHandlesByKind() {
  std::map<std::string, size_t> counts;
  LookAtNumbers([&](HANDLE handle) {
    const bool open = IsOwnHandle(handle);
    if (open) ++counts[TypeOf(handle)];
    return open;
  });
  return counts;
}

}  // namespace lwmsg::test
