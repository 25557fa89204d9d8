#pragma once

#include <utility>

#include "lwmsg/channel.h"
#include "lwmsg/handle.h"
#include "lwmsg/payload.h"

namespace lwmsg {

// The results of a call, of the type that `R::Schema` is in Cap'n Proto. Owns the message that it
// reads. Move-only. Its accessors do not throw: the message was checked when it came.
template <typename R>
class Reply : public R::Reader {
 public:
  explicit Reply(IncomingMessage message)
      : R::Reader(message.payload().getAs<typename R::Schema>(), message.handles()),
        message_(std::move(message)) {}

  // The OS handle of a field at any depth of the results; see IncomingHandles::Take.
  Result<OsHandle> Take(schema::OsHandle::Reader field) { return message_.handles().Take(field); }
  // The bytes of a `SharedMemory` at any depth of the results.
  Result<SharedMemory> Take(schema::SharedMemory::Reader field) {
    return message_.handles().Take(field);
  }
  // The callee's object that a `Handle(T)` at any depth of the results names.
  template <typename HandleReader>
    requires requires { typename HandleReader::Reads; }
  auto TakeObject(HandleReader field) {
    return message_.handles().Take(field);
  }

 private:
  IncomingMessage message_;
};

namespace internal {

inline Status ChannelGone() {
  return Status(StatusCode::kUnavailable, "the client or association of this stub is gone");
}
inline Status CannotWait() {
  return Status(StatusCode::kFailedPrecondition,
                "waiting would stop the loop that brings the reply; use Send, co_await, or a "
                "BlockingClient");
}

template <typename R>
Result<Reply<R>> ToReply(Result<IncomingMessage> message) {
  if (!message) return Error(std::move(message).error());
  return Reply<R>(std::move(*message));
}

}  // namespace internal
}  // namespace lwmsg
