#include "system_error.h"

#include <cerrno>
#include <cstring>

using lwmsg::Status;
using lwmsg::StatusCode;

Status SystemError(const std::string& what, int error) {
  StatusCode code = StatusCode::kInternal;
  if (error == ENOENT) code = StatusCode::kNotFound;
  if (error == EEXIST) code = StatusCode::kAlreadyExists;
  if (error == EACCES || error == EPERM || error == EROFS) code = StatusCode::kPermissionDenied;
  if (error == EBADF) code = StatusCode::kFailedPrecondition;
  if (error == ELOOP || error == ENOTDIR || error == ENAMETOOLONG || error == EINVAL) {
    code = StatusCode::kInvalidArgument;
  }
  if (error == EMFILE || error == ENFILE || error == ENOSPC || error == EDQUOT) {
    code = StatusCode::kResourceExhausted;
  }
  return Status(code, what + ": " + std::strerror(error));
}
