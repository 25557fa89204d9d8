#include "lwmsg/internal/outgoing_calls.h"

#include <algorithm>
#include <utility>

namespace lwmsg::internal {

CallKey OutgoingCalls::Add(Call call) {
  if (free_.empty()) {
    if (slots_.size() == slots_.capacity()) slots_.reserve(std::max<size_t>(1, 2 * slots_.size()));
    free_.reserve(slots_.capacity());  // So that Remove needs no memory.
    free_.push_back(static_cast<uint32_t>(slots_.size()) | 1U << kSlotBits);
    slots_.emplace_back();
  }
  call.id = free_.back();
  free_.pop_back();
  ++size_;
  call.serial = ++last_serial_;
  const CallKey key{call.id, call.serial};
  slots_[key.id & kSlotMask] = std::move(call);
  return key;
}

OutgoingCalls::Call* OutgoingCalls::Find(uint32_t id) {
  const uint32_t slot = id & kSlotMask;
  if (id == 0 || slot >= slots_.size() || slots_[slot].id != id) return nullptr;
  return &slots_[slot];
}

OutgoingCalls::Call* OutgoingCalls::Find(const CallKey& key) {
  Call* call = Find(key.id);
  return call != nullptr && call->serial == key.serial ? call : nullptr;
}

OutgoingCalls::Call OutgoingCalls::Remove(uint32_t id) {
  Call call = std::exchange(slots_[id & kSlotMask], Call());
  uint32_t next = id + (1U << kSlotBits);
  if (next >> kSlotBits == 0) next += 1U << kSlotBits;  // No id is 0.
  free_.push_back(next);
  --size_;
  return call;
}

ReplyCallback OutgoingCalls::Abandon(uint32_t id) {
  Call* call = Find(id);
  if (call == nullptr) return ReplyCallback();
  call->deadline.reset();
  call->on_item = {};
  return std::exchange(call->done, ReplyCallback());
}

std::vector<OutgoingCalls::Call> OutgoingCalls::RemoveAll() {
  std::vector<Call> calls = std::exchange(slots_, {});
  std::erase_if(calls, [](const Call& call) { return call.id == 0; });
  free_.clear();
  size_ = 0;
  return calls;
}

std::optional<TimePoint> OutgoingCalls::EarliestDeadline() const {
  std::optional<TimePoint> earliest;
  for (const Call& call : slots_) {
    if (call.deadline && (!earliest || *call.deadline < *earliest)) earliest = call.deadline;
  }
  return earliest;
}

std::vector<uint32_t> OutgoingCalls::Due(TimePoint now) const {
  std::vector<uint32_t> due;
  for (const Call& call : slots_) {
    if (call.deadline && *call.deadline <= now) due.push_back(call.id);
  }
  return due;
}

}  // namespace lwmsg::internal
