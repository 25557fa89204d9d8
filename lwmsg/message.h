#pragma once

#include <capnp/any.h>
#include <capnp/message.h>

#include <memory>
#include <span>
#include <vector>

#include "lwmsg/function.h"
#include "lwmsg/handles.h"
#include "lwmsg/limits.h"
#include "lwmsg/status.h"

namespace lwmsg {

struct Frame;
namespace internal {
class PayloadType;
struct MemoryName;
struct ObjectName;
struct OutgoingState;
struct IncomingState;
}  // namespace internal

// A message that is being filled; sending consumes it. Move-only. Pointers into it (builders,
// handles()) stay valid while it moves.
class OutgoingMessage {
 public:
  OutgoingMessage();
  OutgoingMessage(OutgoingMessage&&) noexcept;
  OutgoingMessage& operator=(OutgoingMessage&&) noexcept;
  ~OutgoingMessage();

  // A call with empty params; a successful reply, and an item of a stream, with empty results.
  static OutgoingMessage ForCall(uint64_t interface_id, uint16_t method);
  static OutgoingMessage ForReply(uint64_t interface_id, uint16_t method);
  static OutgoingMessage ForItem(uint64_t interface_id, uint16_t method);

  // The params or results. Only for the kinds above.
  capnp::AnyPointer::Builder payload();
  OutgoingHandles& handles();

  // Before sending: whether the payload keeps to the annotations of `type`, and which objects it
  // names. Costs nothing for a type with neither. Error: kInvalidArgument with the path of the
  // field, and then the message must not be sent.
  Status CheckPayload(const internal::PayloadType& type);
  // What CheckPayload met.
  const std::vector<internal::ObjectName>& object_names() const;

  // What goes on the wire: the frame header with the segment table, then the segments. Valid until
  // the message changes.
  kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> Pieces();
  // Size of the message on the wire without its header.
  size_t ByteSize();

  internal::OutgoingState& state() { return *state_; }

 private:
  // See internal::MessageSizes.
  explicit OutgoingMessage(uint64_t kind);

  std::unique_ptr<internal::OutgoingState> state_;
};

// A received message whose envelope is sound. Owns its bytes and handles; readers into it end with
// it. Move-only; pointers into it stay valid while it moves.
class IncomingMessage {
 public:
  IncomingMessage(IncomingMessage&&) noexcept;
  IncomingMessage& operator=(IncomingMessage&&) noexcept;
  ~IncomingMessage();

  // Error: kMalformed, with what is wrong with the frame.
  static Result<IncomingMessage> Parse(Frame frame, const Limits& limits);

  // Walks the payload as `type` has it: every pointer in it can then be read without an exception,
  // and every OS handle slot in it names a handle of this message, each another. Error: kMalformed
  // with the path of the field.
  Status CheckPayload(const internal::PayloadType& type);
  // What CheckPayload met: the objects of the session that the payload names, in the order of the
  // schema's fields.
  const std::vector<internal::ObjectName>& object_names() const;
  // The shared memory that it brings.
  const std::vector<internal::MemoryName>& memory_names() const;
  // The params or results; null for messages of other kinds.
  capnp::AnyPointer::Reader payload() const;
  IncomingHandles& handles();

  internal::IncomingState& state() { return *state_; }

 private:
  explicit IncomingMessage(std::unique_ptr<internal::IncomingState> state);

  std::unique_ptr<internal::IncomingState> state_;
};

}  // namespace lwmsg
