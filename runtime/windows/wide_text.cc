#include "runtime/windows/wide_text.h"

#include <windows.h>

namespace lwmsg::internal {

std::string ToUtf8(std::wstring_view text) {
  if (text.empty()) return {};
  const int size = static_cast<int>(text.size());
  const int room = WideCharToMultiByte(CP_UTF8, 0, text.data(), size, nullptr, 0, nullptr, nullptr);
  std::string result(static_cast<size_t>(room), '\0');
  WideCharToMultiByte(CP_UTF8, 0, text.data(), size, result.data(), room, nullptr, nullptr);
  return result;
}

Result<std::wstring> ToWide(std::string_view text) {
  if (text.empty()) return std::wstring();
  if (text.find('\0') != std::string_view::npos) {
    return Error(StatusCode::kInvalidArgument, "a text for the system holds a zero byte");
  }
  const int size = static_cast<int>(text.size());
  const int room =
      MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.data(), size, nullptr, 0);
  if (room <= 0) {
    return Error(StatusCode::kInvalidArgument, "a text for the system is not UTF-8");
  }
  std::wstring result(static_cast<size_t>(room), L'\0');
  MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.data(), size, result.data(), room);
  return result;
}

}  // namespace lwmsg::internal
