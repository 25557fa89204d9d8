#include "runtime/windows/system_status.h"

#include <windows.h>

#include <array>

#include "runtime/windows/wide_text.h"

namespace lwmsg::internal {
namespace {

StatusCode CodeOf(unsigned long error) {
  switch (error) {
    case ERROR_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD:
    case ERROR_INVALID_OWNER:
      return StatusCode::kPermissionDenied;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_NONE_MAPPED:
      return StatusCode::kNotFound;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
      return StatusCode::kAlreadyExists;
    case ERROR_TOO_MANY_OPEN_FILES:
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_NONPAGED_SYSTEM_RESOURCES:
    case ERROR_PAGED_SYSTEM_RESOURCES:
    case ERROR_WORKING_SET_QUOTA:
    case ERROR_PAGEFILE_QUOTA:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_NOT_ENOUGH_QUOTA:
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
      return StatusCode::kResourceExhausted;
    case ERROR_INVALID_PARAMETER:
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
    case ERROR_FILENAME_EXCED_RANGE:
    case ERROR_INVALID_SID:
    case ERROR_INVALID_ACL:
    case ERROR_INVALID_SECURITY_DESCR:
      return StatusCode::kInvalidArgument;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
      return StatusCode::kFailedPrecondition;
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA:
    case ERROR_PIPE_NOT_CONNECTED:
    case ERROR_PIPE_BUSY:
    case ERROR_SEM_TIMEOUT:
      return StatusCode::kUnavailable;
    case ERROR_OPERATION_ABORTED:
      return StatusCode::kCancelled;
    default:
      return StatusCode::kInternal;
  }
}

// Without the full stop and the line's end that the system's sentences have. Empty if it has none.
std::string WordsOf(unsigned long error, unsigned long language) {
  std::array<wchar_t, 512> text{};
  const unsigned long size =
      FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, error,
                     language, text.data(), text.size(), nullptr);
  std::wstring_view words(text.data(), size);
  while (!words.empty() && (words.back() <= L' ' || words.back() == L'.')) words.remove_suffix(1);
  std::string result = ToUtf8(words);
  // Long ones are broken into lines; ours keep to one.
  for (size_t at = 0; (at = result.find_first_of("\r\n", at)) != std::string::npos;) {
    result.replace(at, result.find_first_not_of("\r\n", at) - at, " ");
  }
  return result;
}

}  // namespace

Status SystemStatus(const std::string& what, unsigned long error) {
  std::string words = WordsOf(error, MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US));
  if (words.empty()) words = WordsOf(error, 0);  // A system that has no English.
  if (words.empty()) words = "the system has no words for it";
  return Status(CodeOf(error), what + ": " + words + " (error " + std::to_string(error) + ")");
}

}  // namespace lwmsg::internal
