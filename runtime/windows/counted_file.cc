#include "runtime/counted_file.h"

#include <windows.h>
// After it.
#include <winternl.h>

#include <cstdlib>
#include <utility>

#include "runtime/windows/ntdll.h"

namespace lwmsg::internal {

// The system counts a file's handles. The watch is one of them, and the only one once nobody else
// has the file.
CountedFile MakeCountedFile() {
  OsHandle file(CreateFileW(L"NUL", GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                            OPEN_EXISTING, 0, nullptr));
  auto watch = file.Duplicate();
  if (!watch) std::abort();
  return {std::move(file), std::move(*watch)};
}

bool IsFileOf(const OsHandle& watch, const OsHandle& handle) {
  // Since Windows 10, and not in mingw's import libraries.
  using Compare = BOOL(WINAPI*)(HANDLE, HANDLE);
  static const auto compare = reinterpret_cast<Compare>(reinterpret_cast<void*>(
      GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "CompareObjectHandles")));
  return compare(watch.get(), handle.get()) != 0;
}

bool IsFileOpen(const OsHandle& watch) {
  static auto* const query = FromNtdll<decltype(NtQueryObject)>("NtQueryObject");
  PUBLIC_OBJECT_BASIC_INFORMATION information{};
  if (query(watch.get(), ObjectBasicInformation, &information, sizeof(information), nullptr) != 0) {
    std::abort();
  }
  return information.HandleCount > 1;
}

}  // namespace lwmsg::internal
