#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "lwmsg/function.h"
#include "lwmsg/os_handle.h"

namespace lwmsg::internal {

class Closer;
struct ClosingQueue;

// The OS handles that one user's peers sent to one loop and that are open here because of that: on
// their way to a handler that takes them, or to be closed. Any thread, but for what is said of the
// loop.
class HandleAccount {
 public:
  // `on_room` runs on any thread, when it was asked for.
  HandleAccount(size_t most, UniqueFunction<void()> on_room);
  HandleAccount(const HandleAccount&) = delete;
  HandleAccount& operator=(const HandleAccount&) = delete;
  ~HandleAccount();

  bool empty() const { return open_ == 0; }
  // Nothing more is to be read that may bring some.
  bool full() const { return open_ != 0 && open_ >= most_; }
  // On the loop: runs `on_room` when it is full no more. Ask again after it: that may be so by now.
  void WaitForRoom() { waits_ = true; }

  void Add(size_t count) { open_ += count; }
  void Remove(size_t count) {
    open_ -= count;
    if (!full() && waits_ && waits_.exchange(false)) on_room_();
  }

 private:
  friend class Closer;

  const size_t most_;
  UniqueFunction<void()> on_room_;
  std::atomic<size_t> open_ = 0;
  std::atomic<bool> waits_ = false;
  std::unique_ptr<ClosingQueue> queue_;  // Null before the first. Guarded by the closer.
};

// As lwmsg::CloseLater, of handles that are counted in `account`, each until it is closed. Those of
// one account do not hold up others.
void CloseLater(std::vector<OsHandle> handles, std::shared_ptr<HandleAccount> account);

}  // namespace lwmsg::internal
