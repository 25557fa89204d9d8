#include "lwmsg/handles.h"

#include <algorithm>
#include <string>

#include "lwmsg/association.h"
#include "lwmsg/handle.h"

namespace lwmsg {

// The names that a message brought, each once for each place.
class internal::IncomingObjects {
 public:
  IncomingObjects(std::vector<uint64_t> ids, const Association& association)
      : ids_(std::move(ids)), association_(association.ref()), channel_(association.channel()) {}
  IncomingObjects(const IncomingObjects&) = delete;
  IncomingObjects& operator=(const IncomingObjects&) = delete;
  ~IncomingObjects() {
    if (ids_.empty()) return;
    association_.Run([ids = std::move(ids_)](Association& association) {
      for (uint64_t id : ids) association.Release(id, 1);
    });
  }

  // Null if it is not there, or not any more.
  std::shared_ptr<ObjectCopy> Take(uint64_t id) {
    auto found = std::find(ids_.begin(), ids_.end(), id);
    if (found == ids_.end()) return nullptr;
    ids_.erase(found);
    return std::make_shared<ObjectCopy>(association_, id);
  }
  const Channel& channel() const { return channel_; }

 private:
  std::vector<uint64_t> ids_;
  LoopRef<Association> association_;
  Channel channel_;
};

internal::ObjectCopy::~ObjectCopy() {
  association_.Run([id = id_](Association& association) { association.Release(id, 1); });
}

OutgoingHandles::~OutgoingHandles() {
  for (uint64_t id : named_) static_cast<void>(session_->Release(id, 1));
}

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

Status OutgoingHandles::NoSession() {
  return Status(StatusCode::kUnavailable,
                "the association of this message is gone, and its session with it");
}

IncomingHandles::IncomingHandles(std::vector<OsHandle> handles) : handles_(std::move(handles)) {}
IncomingHandles::~IncomingHandles() = default;

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

void IncomingHandles::SetObjects(std::vector<uint64_t> ids, const Association& association) {
  objects_ = std::make_unique<internal::IncomingObjects>(std::move(ids), association);
}

Result<std::shared_ptr<internal::ObjectCopy>> IncomingHandles::TakeCopy(uint64_t id,
                                                                        bool receivers) {
  if (id == 0) return Error(StatusCode::kNotFound, "the field names no object");
  if (receivers) {
    return Error(StatusCode::kInvalidHandle,
                 "object " + std::to_string(id) +
                     " is one of this side, not of the peer; use Resolve for it");
  }
  auto copy = objects_ ? objects_->Take(id) : nullptr;
  if (!copy) {
    return Error(StatusCode::kFailedPrecondition,
                 "the name of object " + std::to_string(id) + " was taken before");
  }
  return copy;
}

const Channel& IncomingHandles::channel() const { return objects_->channel(); }

}  // namespace lwmsg
