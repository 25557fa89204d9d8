#include "runtime/windows/handle_type.h"

#include <windows.h>
// After it.
#include <winternl.h>

#include <array>
#include <cstddef>

#include "runtime/windows/ntdll.h"

namespace lwmsg::internal {

std::wstring HandleType(void* handle) {
  static auto* const query = FromNtdll<decltype(NtQueryObject)>("NtQueryObject");
  alignas(void*) std::array<std::byte, 1024> buffer{};
  if (query(handle, ObjectTypeInformation, buffer.data(), buffer.size(), nullptr) != 0) return {};
  const auto* name = reinterpret_cast<const UNICODE_STRING*>(buffer.data());
  return {name->Buffer, name->Length / sizeof(wchar_t)};
}

uint32_t HandleAccess(void* handle) {
  static auto* const query = FromNtdll<decltype(NtQueryObject)>("NtQueryObject");
  PUBLIC_OBJECT_BASIC_INFORMATION information{};
  if (query(handle, ObjectBasicInformation, &information, sizeof(information), nullptr) != 0) {
    return 0;
  }
  return information.GrantedAccess;
}

}  // namespace lwmsg::internal
