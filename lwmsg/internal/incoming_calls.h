#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lwmsg/executor.h"
#include "lwmsg/function.h"

namespace lwmsg::internal {

// The peer's calls that have no answer yet. Few at a time, so they are searched one by one, the
// newest first. Never calls the callbacks itself.
class IncomingCalls {
 public:
  struct Call {
    uint32_t id = 0;
    std::optional<TimePoint> deadline;
    bool cancelled = false;
    UniqueFunction<void()> on_cancel;
  };

  void Add(Call call) { calls_.push_back(std::move(call)); }
  // Null if no call has this id.
  Call* Find(uint32_t id);
  const Call* Find(uint32_t id) const { return const_cast<IncomingCalls*>(this)->Find(id); }
  // False if no call has this id.
  bool Remove(uint32_t id);
  // Marks the call and returns its callback, if there is one to run.
  UniqueFunction<void()> MarkCancelled(uint32_t id);
  // The callbacks of all calls; none is left.
  std::vector<UniqueFunction<void()>> RemoveAll();

  size_t size() const { return calls_.size(); }
  std::optional<TimePoint> EarliestDeadline() const;
  // The ids of the calls whose deadline is at or before `now`; they have none afterwards.
  std::vector<uint32_t> TakeDue(TimePoint now);

 private:
  std::vector<Call> calls_;
};

}  // namespace lwmsg::internal
