#include "runtime/closer.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "lwmsg/os_handle.h"
#include "runtime/platform.h"

namespace lwmsg {
namespace {

// As many closes may wait for their peers at a time; what more there is waits for one of them.
constexpr unsigned kMostThreads = 32;

// A thread without work stays for so long.
constexpr std::chrono::seconds kIdle{1};

// The threads that close. Never destroyed: they are detached, and one may wait for as long as a
// peer likes.
class Closer {
 public:
  // This process's own: its threads are not in a child that was forked, and what they had locked
  // stays so there.
  static Closer& Get() {
    static std::mutex mutex;
    static Closer* closer = nullptr;
    static uint32_t process = 0;
    const std::lock_guard lock(mutex);
    const uint32_t own = internal::OwnPid();
    if (std::exchange(process, own) != own) closer = new Closer;
    return *closer;
  }

  void Add(std::vector<OsHandle> handles) {
    std::unique_lock lock(mutex_);
    for (OsHandle& handle : handles) handles_.push_back(std::move(handle));
    changed_.notify_all();
    if (idle_ >= handles_.size() || threads_ >= kMostThreads) return;
    StartThread();
  }

  void Finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return handles_.empty() && idle_ == threads_; });
  }

 private:
  // Locked. Without one more, those that are there do it in time; without any, it is done here.
  void StartThread() {
    try {
      std::thread([this] { Work(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      if (threads_ == 0) handles_.clear();
    }
  }

  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      const bool found = changed_.wait_for(lock, kIdle, [this] { return !handles_.empty(); });
      --idle_;
      if (!found) break;
      OsHandle handle = std::move(handles_.front());
      handles_.pop_front();
      // This one may not come back.
      if (!handles_.empty() && idle_ == 0 && threads_ < kMostThreads) StartThread();
      lock.unlock();
      handle.Close();
      lock.lock();
      changed_.notify_all();
    }
    --threads_;
    changed_.notify_all();
  }

  std::mutex mutex_;  // Guards all that follows.
  std::condition_variable changed_;
  std::deque<OsHandle> handles_;
  unsigned threads_ = 0;
  unsigned idle_ = 0;
};

}  // namespace

void CloseLater(std::vector<OsHandle> handles) { Closer::Get().Add(std::move(handles)); }

void internal::FinishClosing() { Closer::Get().Finish(); }

}  // namespace lwmsg
