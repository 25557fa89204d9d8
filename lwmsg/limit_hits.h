#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lwmsg {

// How often a limit has hit in this process.
struct LimitHits {
  // As in Limits: "max_calls".
  std::string_view name;
  uint64_t count = 0;
};

// Of those that have hit since the process began, in the order of Limits. Any thread.
std::vector<LimitHits> CountLimitHits();

namespace internal {

enum class Limit : uint8_t {
  kMaxFrameBytes,
  kMaxFrameHandles,
  kMaxNesting,
  kMaxCalls,
  kMaxOnewayCalls,
  kMaxBadCalls,
  kMaxObjects,
  kMaxSharedBytes,
  kMaxReceivedBytes,
  kMaxReceivedHandles,
  kMaxQueuedBytes,
  kMaxQueuedMessages,
  kMaxQueuedHandles,
  kMaxAssociations,
  kMaxUserAssociations,
  kIdleTimeout,
  kHelloTimeout,
  kFrameTimeout,
  kSendTimeout,
  kCallTimeout,
};

// Counts that it hit.
void CountLimitHit(Limit limit);
// Does so too. Its name for the text that says so: "Limits::max_calls".
std::string HitLimit(Limit limit);

}  // namespace internal
}  // namespace lwmsg
