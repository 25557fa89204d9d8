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

// The OS handles that one user's peers sent to one loop and that are open here because of that:
// held by messages, whole or not, out of which nobody has taken them, or still to be closed. Any
// thread, but for what is said of the loop.
class HandleAccount {
 public:
  // `on_room` runs on any thread, when it was asked for.
  HandleAccount(size_t most_held, size_t most_closing, UniqueFunction<void()> on_room);
  HandleAccount(const HandleAccount&) = delete;
  HandleAccount& operator=(const HandleAccount&) = delete;
  ~HandleAccount();

  size_t most_held() const { return most_held_; }
  bool empty() const { return held_ == 0 && closing_ == 0; }
  // Messages hold more than that.
  bool over() const { return held_ > most_held_; }
  void Hold(size_t count) { held_ += count; }
  // Of so many that were held.
  void LetGo(size_t count) { held_ -= count; }

  // As many are still to be closed: nothing more is to be read that may bring some. That they are
  // closed does not depend on what is read, as what is held may.
  bool full() const { return closing_ >= most_closing_; }
  // On the loop: runs `on_room` when it is full no more. Ask again after it: that may be so by now.
  void WaitForRoom() { waits_ = true; }

 private:
  friend class Closer;
  friend void CloseLater(std::vector<OsHandle> handles, std::shared_ptr<HandleAccount> account);

  void Closed(size_t count);

  const size_t most_held_;
  const size_t most_closing_;
  UniqueFunction<void()> on_room_;
  std::atomic<size_t> held_ = 0;
  std::atomic<size_t> closing_ = 0;
  std::atomic<bool> waits_ = false;
  std::unique_ptr<ClosingQueue> queue_;  // Null before the first. Guarded by the closer.
};

// As lwmsg::CloseLater, of handles that `account` holds; null: none does. Those of one account do
// not hold up others.
void CloseLater(std::vector<OsHandle> handles, std::shared_ptr<HandleAccount> account);

}  // namespace lwmsg::internal
