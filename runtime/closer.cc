#include "runtime/closer.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "lwmsg/internal/spare_memory.h"
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
  // stays so there. For the same reason nothing is locked here.
  static Closer& Get() {
    static std::atomic<Closer*> current = nullptr;
    const uint32_t own = internal::OwnPid();
    Closer* closer = current;
    while (closer == nullptr || closer->process_ != own) {
      auto fresh = std::make_unique<Closer>(own);
      if (current.compare_exchange_strong(closer, fresh.get())) return *fresh.release();
    }
    return *closer;
  }

  explicit Closer(uint32_t process) : process_(process) {}

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
    } catch (const std::exception&) {  // No thread, or no memory for it.
      if (threads_ == 0) handles_.clear();
    }
  }

  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      // Whoever waits in Finish counts on this one.
      if (handles_.empty()) changed_.notify_all();
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

  const uint32_t process_;
  std::mutex mutex_;  // Guards all that follows.
  std::condition_variable changed_;
  std::deque<OsHandle> handles_;
  unsigned threads_ = 0;
  unsigned idle_ = 0;
};

}  // namespace

void CloseLater(std::vector<OsHandle> handles) {
  // Without memory to put them off they are closed here.
  internal::IfMemory([&handles] { Closer::Get().Add(std::move(handles)); });
}

void internal::FinishClosing() { Closer::Get().Finish(); }

}  // namespace lwmsg
