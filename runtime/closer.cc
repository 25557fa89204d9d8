#include "runtime/closer.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
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

  // Of a loop, which shall not wait: what is done under the lock is short, and few are awake.
  void Add(std::vector<OsHandle> handles) {
    std::unique_lock lock(mutex_);
    const size_t count = handles.size();
    batches_.push_back(std::move(handles));
    open_ += count;
    if (Rouse()) Start(lock);
  }

  void Finish() {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return open_ == 0; });
  }

 private:
  // Locked. One more is to look for work, but one at a time: mostly those that are awake have done
  // it by the time it comes. True if it must be started.
  bool Rouse() {
    if (rousing_) return false;
    if (idle_ != 0) {
      rousing_ = true;
      changed_.notify_one();
      return false;
    }
    if (threads_ == kMostThreads) return false;
    rousing_ = true;
    ++threads_;
    return true;
  }

  // Without one more, those that are there do it in time; without any, it is done here. Returns
  // locked.
  void Start(std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    try {
      std::thread([this] { Work(); }).detach();
      lock.lock();
      return;
    } catch (const std::exception&) {  // No thread, or no memory for it.
      lock.lock();
    }
    rousing_ = false;
    --threads_;
    // One by one: an empty std::deque to put them in would want memory.
    while (threads_ == 0 && !batches_.empty()) {
      std::vector<OsHandle> batch = std::move(batches_.front());
      batches_.pop_front();
      lock.unlock();
      const size_t closed = batch.size();
      batch.clear();
      lock.lock();
      Closed(closed);
    }
  }

  // Locked.
  void Closed(size_t count) {
    open_ -= count;
    if (open_ == 0) finished_.notify_all();
  }

  void Work() {
    std::unique_lock lock(mutex_);
    rousing_ = false;
    while (Await(lock)) CloseOne(lock);
    --threads_;
  }

  // Whether there is work.
  bool Await(std::unique_lock<std::mutex>& lock) {
    const auto end = std::chrono::steady_clock::now() + kIdle;
    ++idle_;
    auto waited = std::cv_status::no_timeout;
    while (batches_.empty() && waited == std::cv_status::no_timeout) {
      waited = changed_.wait_until(lock, end);
      rousing_ = false;  // Also if others have done it all: the next is not to wait for this one.
    }
    --idle_;
    return !batches_.empty();
  }

  // Returns locked.
  void CloseOne(std::unique_lock<std::mutex>& lock) {
    OsHandle handle = std::move(batches_.front().back());
    batches_.front().pop_back();
    if (batches_.front().empty()) batches_.pop_front();
    // This one may not come back.
    if (!batches_.empty() && Rouse()) Start(lock);
    lock.unlock();
    handle.Close();
    lock.lock();
    Closed(1);
  }

  const uint32_t process_;
  std::mutex mutex_;  // Guards all that follows.
  std::condition_variable changed_;
  std::condition_variable finished_;
  std::deque<std::vector<OsHandle>> batches_;  // None is empty.
  size_t open_ = 0;                            // Handles that are not yet closed.
  unsigned threads_ = 0;
  unsigned idle_ = 0;
  bool rousing_ = false;  // One was woken or started and has not come yet.
};

}  // namespace

void CloseLater(std::vector<OsHandle> handles) {
  if (handles.empty()) return;
  // Without memory to put them off they are closed here.
  internal::IfMemory([&handles] { Closer::Get().Add(std::move(handles)); });
}

void internal::FinishClosing() { Closer::Get().Finish(); }

}  // namespace lwmsg
