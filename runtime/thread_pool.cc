#include "runtime/thread_pool.h"

#include <system_error>
#include <utility>

#include "lwmsg/internal/spare_memory.h"
#include "runtime/user_share.h"

namespace lwmsg::internal {

ThreadPool::~ThreadPool() {
  std::list<Turn> dropped;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    dropped.swap(turns_);
  }
  changed_.notify_all();
  dropped.clear();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Run(const Token& caller, UniqueFunction<void()> task) {
  std::string user = UserOf(caller);
  const std::lock_guard lock(mutex_);
  const bool grows = free_ < waiting_ + 1 && threads_.size() < size_;
  if (grows) StartThread();
  if (Turn* turn = TurnOf(user)) {
    turn->tasks.push_back(std::move(task));
  } else {
    std::list<Turn> added;
    added.push_back({std::move(user), {}});
    added.back().tasks.push_back(std::move(task));
    turns_.splice(turns_.end(), added);
  }
  ++waiting_;
  changed_.notify_one();
}

void ThreadPool::StartThread() {
  try {
    threads_.emplace_back([this] { Work(); });
  } catch (const std::system_error&) {
    // Those that are there do it in time.
    if (threads_.empty()) throw;
  }
}

bool ThreadPool::busy(const Token& caller) {
  const std::string user = UserOf(caller);
  const std::lock_guard lock(mutex_);
  const Turn* turn = TurnOf(user);
  return (turn == nullptr ? 0 : turn->tasks.size()) + waiting_ >= kMostWaiting;
}

ThreadPool::Turn* ThreadPool::TurnOf(const std::string& user) {
  for (Turn& turn : turns_) {
    if (turn.user == user) return &turn;
  }
  return nullptr;
}

UniqueFunction<void()> ThreadPool::TakeNext() {
  auto task = std::move(turns_.front().tasks.front());
  turns_.front().tasks.pop_front();
  --waiting_;
  if (turns_.front().tasks.empty()) {
    turns_.pop_front();
  } else {
    turns_.splice(turns_.end(), turns_, turns_.begin());
  }
  return task;
}

void ThreadPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++free_;
    changed_.wait(lock, [this] { return ending_ || !turns_.empty(); });
    --free_;
    if (ending_) return;
    auto task = TakeNext();
    lock.unlock();
    IfMemory(task);
    task = {};  // Outside the lock, as it may own a call.
    lock.lock();
  }
}

}  // namespace lwmsg::internal
