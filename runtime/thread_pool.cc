#include "runtime/thread_pool.h"

#include <utility>

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
  Turn* turn = TurnOf(user);
  if (turn == nullptr) turn = &turns_.emplace_back(Turn{std::move(user), {}});
  turn->tasks.push_back(std::move(task));
  ++waiting_;
  if (free_ >= waiting_ || threads_.size() >= size_) {
    changed_.notify_one();
  } else {
    threads_.emplace_back([this] { Work(); });
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
    task();
    task = {};  // Outside the lock, as it may own a call.
    lock.lock();
  }
}

}  // namespace lwmsg::internal
