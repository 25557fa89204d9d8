#pragma once

#include <windows.h>

namespace lwmsg::internal {

// A function of the system that its import libraries do not have. ntdll.dll is in every process.
template <typename Function>
Function* FromNtdll(const char* name) {
  return reinterpret_cast<Function*>(
      reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"ntdll.dll"), name)));
}

}  // namespace lwmsg::internal
