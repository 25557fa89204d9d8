#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "lwmsg/association.h"

namespace lwmsg::internal {

// A server's threads for handlers that block. A thread is started when there is work and none is
// free. The destructor waits for what runs and drops what waits.
class ThreadPool final : public Workers {
 public:
  // At least one.
  explicit ThreadPool(unsigned size) : size_(std::max(size, 1U)) {}
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  // Any thread.
  void Run(UniqueFunction<void()> task) override;
  bool busy() override;

 private:
  // Each may be a call with its message.
  static constexpr size_t kMostWaiting = 1024;

  void Work();

  const unsigned size_;
  std::mutex mutex_;  // Guards all that follows.
  std::condition_variable changed_;
  std::deque<UniqueFunction<void()>> tasks_;
  unsigned free_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lwmsg::internal
