#pragma once

#include <lwmsg/lwmsg.capnp.h>

#include <span>
#include <vector>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"

namespace lwmsg {

// The OS handles of a message that is being filled. Owned by the message.
class OutgoingHandles {
 public:
  // Gives `handle` to the message and names it in `slot`; one that `slot` named before is closed.
  // An invalid `handle` leaves an empty slot saying "no handle"; a slot that named one cannot be
  // emptied again: such a message fails with kInvalidArgument when it is sent.
  void Put(schema::OsHandle::Builder slot, OsHandle handle);

  std::span<OsHandle> all() { return handles_; }
  size_t size() const { return handles_.size(); }

 private:
  std::vector<OsHandle> handles_;
};

// The OS handles of a received message. Those that nobody takes are closed with the message.
class IncomingHandles {
 public:
  explicit IncomingHandles(std::vector<OsHandle> handles) : handles_(std::move(handles)) {}

  // The handle that `slot` names, now the caller's. Error: kNotFound if the slot says "no handle",
  // kFailedPrecondition if it was taken before, kMalformed if the message has no such handle.
  Result<OsHandle> Take(schema::OsHandle::Reader slot);

  size_t size() const { return handles_.size(); }

 private:
  std::vector<OsHandle> handles_;
};

}  // namespace lwmsg
