#include "runtime/thread_pool.h"

#include <utility>

namespace lwmsg::internal {

ThreadPool::~ThreadPool() {
  std::deque<UniqueFunction<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    dropped.swap(tasks_);
  }
  changed_.notify_all();
  dropped.clear();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Run(UniqueFunction<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  if (free_ >= tasks_.size() || threads_.size() >= size_) {
    changed_.notify_one();
  } else {
    threads_.emplace_back([this] { Work(); });
  }
}

bool ThreadPool::busy() {
  const std::lock_guard lock(mutex_);
  return tasks_.size() >= kMostWaiting;
}

void ThreadPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++free_;
    changed_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    --free_;
    if (ending_) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = {};  // Outside the lock, as it may own a call.
    lock.lock();
  }
}

}  // namespace lwmsg::internal
