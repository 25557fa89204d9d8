#pragma once

#include <chrono>
#include <memory>

#include "lwmsg/function.h"

struct uv_loop_s;  // NOLINT(readability-identifier-naming): libuv's own name.

namespace lwmsg {

namespace internal {
class UvLoop;
}

// The event loop that servers, clients and their handlers run on. One thread at a time runs it; all
// else that belongs to it is used on that thread. Outlives its servers and clients.
class Loop {
 public:
  // A loop of its own; Run runs it. Throws std::runtime_error if the system refuses what it needs:
  // descriptors, mostly.
  Loop();
  // Inside a libuv loop that its owner runs and that outlives this object. What this object opened
  // on it closes in the first turn after this object has gone.
  explicit Loop(uv_loop_s* uv);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Runs until Stop, or until nothing is left to wait for. Not for a borrowed uv loop.
  void Run();
  // Makes Run return soon; any thread.
  void Stop();
  // When a message has come, more may follow soon: the loop looks for it for as long, giving its
  // processor to whoever wants it, before it sleeps; waking it would take longer. It learns where
  // that is in vain. 20 microseconds at first; zero switches it off. On the loop's thread.
  void SetBusyWait(std::chrono::microseconds longest);
  // Runs `task` on the loop, later, in order. Any thread, while the Loop lives. A task that throws
  // std::bad_alloc is over, and the loop goes on.
  void Post(UniqueFunction<void()> task);

  uv_loop_s* uv();
  internal::UvLoop& impl() { return *impl_; }

 private:
  std::unique_ptr<internal::UvLoop> impl_;
};

}  // namespace lwmsg
