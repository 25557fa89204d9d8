#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace lwmsg {

// What kind of outcome it was. Each code is told by what the caller does next. The numbers are on
// the wire (schema/wire.capnp) and never change.
enum class StatusCode : uint16_t {
  kOk = 0,
  // The call was given up by its caller. Nothing to do.
  kCancelled = 1,
  // The time for the call ran out. It may have had its effect; ask, or try again if that is
  // harmless.
  kDeadlineExceeded = 2,
  // No connection: no server there, or it went away in mid-call. Connect again, later.
  kUnavailable = 3,
  // The callee took the call and let it go without an answer. Report it: the service has a bug.
  kAborted = 4,
  // The arguments make no sense whatever the state of the service. Mend the call.
  kInvalidArgument = 5,
  // What the call names does not exist.
  kNotFound = 6,
  // What the call would make exists already.
  kAlreadyExists = 7,
  // The caller, as the kernel reported it, may not do this. Do not try again as the same user.
  kPermissionDenied = 8,
  // A limit was reached: the message says which. Send less, or later.
  kResourceExhausted = 9,
  // The arguments make sense but not now. Change the state first.
  kFailedPrecondition = 10,
  // The peer does not know this interface or method. Update one of the sides.
  kUnimplemented = 11,
  // The bytes or the OS handles of a message break the protocol or its schema. The sender has a
  // bug, or is hostile.
  kMalformed = 12,
  // The session object that a handle names is not, or no longer, there. Open it again.
  kInvalidHandle = 13,
  // The callee failed in a way that it did not expect. Report it.
  kInternal = 14,
};

// The code's name in the manner of "permission denied", for messages.
std::string_view StatusCodeName(StatusCode code);

// The code with this wire number, kInternal if there is none.
StatusCode StatusCodeFromWire(uint16_t number);

// How something ended: a code for the program and a message for a person. A value; an OK status
// owns no memory.
class [[nodiscard]] Status {
 public:
  Status() = default;
  // Cold, so that what leads to it, mostly the building of texts, is made small rather than fast
  // and does not lie in the way of calls that succeed.
  [[gnu::cold]] Status(StatusCode code, std::string message);

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  // What was wrong, where, and what to do; without the code's name.
  const std::string& message() const { return message_; }
  // "permission denied: only members of dialout may open ttyS0", or "ok".
  std::string ToString() const;

  friend bool operator==(const Status&, const Status&) = default;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

std::ostream& operator<<(std::ostream& out, const Status& status);

// A value, or the reason why there is none. Test it like a pointer; `error()` is the Status, never
// OK.
template <typename T>
using Result = tl::expected<T, Status>;

// For `return Error(StatusCode::kNotFound, "...")` in a function that returns a Result.
[[gnu::cold]] tl::unexpected<Status> Error(StatusCode code, std::string message);
inline tl::unexpected<Status> Error(Status status) {
  return tl::unexpected<Status>(std::move(status));
}

}  // namespace lwmsg
