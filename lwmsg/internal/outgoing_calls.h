#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lwmsg/channel.h"
#include "lwmsg/executor.h"
#include "lwmsg/internal/call_key.h"

namespace lwmsg::internal {

// The calls of this side that have no reply yet. An id stays in use until the reply has come, also
// when nobody waits for it any more. Never calls the callbacks itself.
class OutgoingCalls {
 public:
  struct Call {
    uint32_t id = 0;
    uint64_t serial = 0;  // Given by Add.
    const Protocol* protocol = nullptr;
    const MethodInfo* method = nullptr;
    TimePoint started;
    std::optional<TimePoint> deadline;
    std::chrono::microseconds timeout{};  // What the deadline was made from.
    // Of a stream: items that may come, and what gets them. Shared with who runs it: that may end
    // the call, or wait inside for more.
    uint32_t credit = 0;
    uint32_t items = 0;  // That came.
    std::shared_ptr<UniqueFunction<void(IncomingMessage)>> on_item;
    ReplyCallback done;  // Empty once nobody waits.
  };

  // No more have an id each.
  static constexpr uint32_t kMost = 1U << 16;

  // Stores the call under a new id, never 0. Fewer than kMost are there.
  CallKey Add(Call call);
  // Null if `id` is not in use; or if it is, but by another call.
  Call* Find(uint32_t id);
  Call* Find(const CallKey& key);
  // Frees `id`, which is in use, and returns its call.
  Call Remove(uint32_t id);
  // The callback, if somebody still waits; nobody does afterwards.
  ReplyCallback Abandon(uint32_t id);
  // All calls; none is left.
  std::vector<Call> RemoveAll();

  size_t size() const { return size_; }
  template <typename Function>
  void ForEach(Function function) const {
    for (const Call& call : slots_) {
      if (call.id != 0) function(call);
    }
  }
  std::optional<TimePoint> EarliestDeadline() const;
  // The ids of the calls whose deadline is at or before `now` and that somebody waits for.
  std::vector<uint32_t> Due(TimePoint now) const;

 private:
  // An id is a slot's number and, above it, how often the slot was used: a late reply to an old
  // call does not meet a new one.
  static constexpr uint32_t kSlotBits = 16;
  static constexpr uint32_t kSlotMask = kMost - 1;

  std::vector<Call> slots_;
  std::vector<uint32_t> free_;  // Next ids of free slots.
  size_t size_ = 0;
  uint64_t last_serial_ = 0;
};

}  // namespace lwmsg::internal
