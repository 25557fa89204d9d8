#include "lwmsg/status.h"

#include <utility>

namespace lwmsg {

std::string_view StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kCancelled:
      return "cancelled";
    case StatusCode::kDeadlineExceeded:
      return "deadline exceeded";
    case StatusCode::kUnavailable:
      return "unavailable";
    case StatusCode::kAborted:
      return "aborted";
    case StatusCode::kInvalidArgument:
      return "invalid argument";
    case StatusCode::kNotFound:
      return "not found";
    case StatusCode::kAlreadyExists:
      return "already exists";
    case StatusCode::kPermissionDenied:
      return "permission denied";
    case StatusCode::kResourceExhausted:
      return "resource exhausted";
    case StatusCode::kFailedPrecondition:
      return "failed precondition";
    case StatusCode::kUnimplemented:
      return "unimplemented";
    case StatusCode::kMalformed:
      return "malformed";
    case StatusCode::kInvalidHandle:
      return "invalid handle";
    case StatusCode::kInternal:
      return "internal error";
  }
  return "internal error";
}

StatusCode StatusCodeFromWire(uint16_t number) {
  constexpr auto kLast = static_cast<uint16_t>(StatusCode::kInternal);
  return number <= kLast ? static_cast<StatusCode>(number) : StatusCode::kInternal;
}

Status::Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

tl::unexpected<Status> Error(StatusCode code, std::string message) {
  return tl::unexpected<Status>(Status(code, std::move(message)));
}

std::string Status::ToString() const {
  std::string text(StatusCodeName(code_));
  if (!message_.empty()) text.append(": ").append(message_);
  return text;
}

std::ostream& operator<<(std::ostream& out, const Status& status) {
  return out << status.ToString();
}

}  // namespace lwmsg
