#include "system_error.h"

#include <windows.h>

#include <system_error>

using lwmsg::Status;
using lwmsg::StatusCode;

Status SystemError(const std::string& what, unsigned long error) {
  StatusCode code = StatusCode::kInternal;
  if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) code = StatusCode::kNotFound;
  if (error == ERROR_FILE_EXISTS || error == ERROR_ALREADY_EXISTS) {
    code = StatusCode::kAlreadyExists;
  }
  if (error == ERROR_ACCESS_DENIED || error == ERROR_WRITE_PROTECT) {
    code = StatusCode::kPermissionDenied;
  }
  if (error == ERROR_SHARING_VIOLATION) code = StatusCode::kFailedPrecondition;
  if (error == ERROR_DIRECTORY || error == ERROR_INVALID_NAME ||
      error == ERROR_FILENAME_EXCED_RANGE) {
    code = StatusCode::kInvalidArgument;
  }
  if (error == ERROR_TOO_MANY_OPEN_FILES || error == ERROR_DISK_FULL) {
    code = StatusCode::kResourceExhausted;
  }
  return Status(code, what + ": " + std::system_category().message(static_cast<int>(error)));
}
