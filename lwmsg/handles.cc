#include "lwmsg/handles.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "lwmsg/association.h"
#include "lwmsg/handle.h"
#include "lwmsg/internal/shared_places.h"

namespace lwmsg {

// The names that a message brought, each once for each place.
class internal::IncomingObjects {
 public:
  IncomingObjects(std::vector<uint64_t> ids, Association& association)
      : association_(association.ref()), channel_(association.channel()) {
    std::ranges::sort(ids);
    for (uint64_t id : ids) ++copies_.try_emplace(copies_.end(), id, 0)->second;
  }
  IncomingObjects(const IncomingObjects&) = delete;
  IncomingObjects& operator=(const IncomingObjects&) = delete;
  ~IncomingObjects() {
    if (copies_.empty()) return;
    association_.Run([copies = std::move(copies_)](Association& association) {
      for (const auto& [id, count] : copies) association.Release(id, count);
    });
  }

  // Null if it is not there, or not any more.
  std::shared_ptr<ObjectCopy> Take(uint64_t id) {
    const auto found = copies_.find(id);
    if (found == copies_.end()) return nullptr;
    if (--found->second == 0) copies_.erase(found);
    return std::make_shared<ObjectCopy>(association_, id);
  }
  const Channel& channel() const { return channel_; }

 private:
  // Ordered: the ids are the peer's, who could choose them for a hash.
  std::map<uint64_t, uint32_t> copies_;
  LoopRef<Association> association_;
  Channel channel_;
};

// The shared memory that a message brought.
class internal::IncomingMemories {
 public:
  IncomingMemories(std::vector<IncomingMemory> of_pools, size_t max_shared_bytes)
      : max_shared_bytes_(max_shared_bytes) {
    for (IncomingMemory& memory : of_pools) {
      const std::pair place(memory.name.pool, memory.name.offset);
      of_pools_.emplace(place, std::move(memory));
    }
  }

  Result<SharedMemory> TakeOfPool(uint64_t pool, uint64_t offset) {
    const auto [first, last] = of_pools_.equal_range({pool, offset});
    for (auto place = first; place != last; ++place) {
      if (!place->second.memory) continue;
      SharedMemory memory = std::move(*place->second.memory);
      of_pools_.erase(place);
      return memory;
    }
    return Error(StatusCode::kFailedPrecondition, "the shared memory was taken before");
  }
  Result<SharedMemory> Open(const OsHandle& handle, uint64_t offset, uint64_t size) const {
    auto mapped = MappedMemory::Open(handle, max_shared_bytes_);
    if (!mapped) return Error(std::move(mapped).error());
    auto bytes = PlaceIn(**mapped, offset, size);
    if (!bytes) return Error(std::move(bytes).error());
    return SharedMemory(std::move(*mapped), *bytes, nullptr);
  }

 private:
  std::multimap<std::pair<uint64_t, uint64_t>, IncomingMemory> of_pools_;
  size_t max_shared_bytes_;
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

void OutgoingHandles::Put(schema::SharedMemory::Builder field, WritableMemory memory) {
  const void* place = capnp::toAny(field).getDataSection().begin();
  for (PlacedMemory& placed : memories_) {
    if (capnp::toAny(placed.field).getDataSection().begin() != place) continue;
    placed.memory = std::move(memory);
    return;
  }
  memories_.push_back({field, std::move(memory)});
}

Status OutgoingHandles::NoSession() {
  return Status(StatusCode::kUnavailable,
                "the association of this message is gone, and its session with it");
}

IncomingHandles::IncomingHandles(internal::ReceivedHandles handles)
    : handles_(std::move(handles)) {}
IncomingHandles::~IncomingHandles() = default;

Result<OsHandle> IncomingHandles::Take(schema::OsHandle::Reader slot) {
  const uint16_t number = slot.getSlot();
  if (number == 0) return Error(StatusCode::kNotFound, "the field carries no OS handle");
  if (number > handles_.size()) {
    return Error(StatusCode::kMalformed, "OS handle slot " + std::to_string(number) +
                                             " of a message that carries " +
                                             std::to_string(handles_.size()));
  }
  if (!handles_.all()[number - 1].valid()) {
    return Error(StatusCode::kFailedPrecondition,
                 "OS handle slot " + std::to_string(number) + " was taken before");
  }
  return handles_.Take(number - 1);
}

void IncomingHandles::SetObjects(std::vector<uint64_t> ids, Association& association) {
  objects_ = std::make_unique<internal::IncomingObjects>(std::move(ids), association);
}

void IncomingHandles::SetMemories(std::vector<internal::IncomingMemory> memories,
                                  size_t max_shared_bytes) {
  memories_ = std::make_unique<internal::IncomingMemories>(std::move(memories), max_shared_bytes);
}

Result<SharedMemory> IncomingHandles::Take(schema::SharedMemory::Reader field) {
  const bool own = field.getPool() == 0;
  if ((own && field.getMemory().getSlot() == 0) || memories_ == nullptr) {
    return Error(StatusCode::kNotFound, "the field carries no shared memory");
  }
  if (!own) return memories_->TakeOfPool(field.getPool(), field.getOffset());
  auto handle = Take(field.getMemory());
  if (!handle) return Error(std::move(handle).error());
  auto opened = memories_->Open(*handle, field.getOffset(), field.getSize());
  if (!opened) handles_.PutBack(field.getMemory().getSlot() - 1, std::move(*handle));
  return opened;
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
