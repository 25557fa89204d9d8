#include "lwmsg/limit_hits.h"

#include <array>
#include <atomic>

namespace lwmsg {
namespace {

constexpr auto kNames = std::to_array<std::string_view>(
    {"max_frame_bytes",    "max_frame_handles",    "max_nesting",           "max_calls",
     "max_oneway_calls",   "max_bad_calls",        "max_objects",           "max_shared_bytes",
     "max_received_bytes", "max_received_handles", "max_queued_bytes",      "max_queued_messages",
     "max_queued_handles", "max_associations",     "max_user_associations", "idle_timeout",
     "hello_timeout",      "frame_timeout",        "send_timeout",          "call_timeout"});
static_assert(kNames.size() == static_cast<size_t>(internal::Limit::kCallTimeout) + 1);

std::array<std::atomic<uint64_t>, kNames.size()>& Counts() {
  static std::array<std::atomic<uint64_t>, kNames.size()> counts{};
  return counts;
}

}  // namespace

std::vector<LimitHits> CountLimitHits() {
  std::vector<LimitHits> hits;
  for (size_t i = 0; i < kNames.size(); ++i) {
    const uint64_t count = Counts()[i].load(std::memory_order_relaxed);
    if (count != 0) hits.push_back({kNames[i], count});
  }
  return hits;
}

void internal::CountLimitHit(Limit limit) {
  Counts()[static_cast<size_t>(limit)].fetch_add(1, std::memory_order_relaxed);
}

std::string internal::HitLimit(Limit limit) {
  CountLimitHit(limit);
  return "Limits::" + std::string(kNames[static_cast<size_t>(limit)]);
}

}  // namespace lwmsg
