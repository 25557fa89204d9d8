#include "lwmsg/handles.h"

#include <string>

namespace lwmsg {

void OutgoingHandles::Put(schema::OsHandle::Builder slot, OsHandle handle) {
  const uint16_t old = slot.getSlot();
  if (old != 0 && old <= handles_.size()) {
    handles_[old - 1] = std::move(handle);
    return;
  }
  if (!handle.valid()) return;
  handles_.push_back(std::move(handle));
  slot.setSlot(static_cast<uint16_t>(handles_.size()));
}

Result<OsHandle> IncomingHandles::Take(schema::OsHandle::Reader slot) {
  const uint16_t number = slot.getSlot();
  if (number == 0) return Error(StatusCode::kNotFound, "the field carries no OS handle");
  if (number > handles_.size()) {
    return Error(StatusCode::kMalformed, "OS handle slot " + std::to_string(number) +
                                             " of a message that carries " +
                                             std::to_string(handles_.size()));
  }
  OsHandle& handle = handles_[number - 1];
  if (!handle.valid()) {
    return Error(StatusCode::kFailedPrecondition,
                 "OS handle slot " + std::to_string(number) + " was taken before");
  }
  return std::move(handle);
}

}  // namespace lwmsg
