#pragma once

#include <memory>
#include <utility>

#include "lwmsg/executor.h"
#include "lwmsg/internal/link.h"
#include "lwmsg/internal/spare_memory.h"

namespace lwmsg::internal {

// A link that may be followed from any thread: what is done to its target is done on the target's
// loop, and not at all once the target or the loop is gone. A value.
template <typename T>
class LoopRef {
 public:
  LoopRef() = default;
  LoopRef(const Executor& executor, Link<T> link)
      : door_(executor.door()), link_(std::move(link)) {}

  // Runs `function(T&)` at once on the loop's thread, later from another; that takes no memory that
  // may be missing, as many a destructor does it.
  template <typename Function>
  void Run(Function function) const {
    if (!door_) return;
    if (door_->OnOwnThread()) {
      if (T* target = link_.get()) function(*target);
      return;
    }
    door_->Post(SureTask([link = link_, function = std::move(function)]() mutable {
      if (T* target = link.get()) function(*target);
    }));
  }
  // Runs `task` on the loop, later, if the loop is there then.
  void Post(UniqueFunction<void()> task) const {
    if (door_) door_->Post(std::move(task));
  }
  // The target itself. Only on its loop's thread.
  T* get() const { return link_.get(); }
  const Link<T>& link() const { return link_; }

 private:
  std::shared_ptr<Door> door_;
  Link<T> link_;
};

}  // namespace lwmsg::internal
