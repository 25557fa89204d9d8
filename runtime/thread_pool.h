#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lwmsg/association.h"

namespace lwmsg::internal {

// A server's threads for handlers that block. A thread is started when there is work and none is
// free. Users take turns, with however many tasks each waits. The destructor waits for what runs
// and drops what waits.
class ThreadPool final : public Workers {
 public:
  // At least one.
  explicit ThreadPool(unsigned size) : size_(std::max(size, 1U)) {}
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  // Any thread. Throws std::system_error if no thread at all can be started.
  void Run(const Token& caller, UniqueFunction<void()> task) override;
  // One user never has more that wait than are left for others.
  bool busy(const Token& caller) override;

 private:
  // Each may be a call with its message.
  static constexpr size_t kMostWaiting = 1024;

  struct Turn {
    std::string user;  // As UserOf.
    std::deque<UniqueFunction<void()>> tasks;
  };

  void Work();
  void StartThread();
  // Null if none of his wait.
  Turn* TurnOf(const std::string& user);
  UniqueFunction<void()> TakeNext();

  const unsigned size_;
  std::mutex mutex_;  // Guards all that follows.
  std::condition_variable changed_;
  std::list<Turn> turns_;  // Of users with tasks; the first is the next.
  size_t waiting_ = 0;     // Tasks.
  unsigned free_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lwmsg::internal
