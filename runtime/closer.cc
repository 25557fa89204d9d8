#include "runtime/closer.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "lwmsg/internal/fifo.h"
#include "lwmsg/internal/handle_account.h"
#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/os_handle.h"
#include "runtime/platform.h"

namespace lwmsg::internal {

// What waits to be closed on one account. Guarded by the closer's mutex.
struct ClosingQueue {
  ClosingQueue(const Closer* by, unsigned most) : closer(by), most_threads(most) {}

  const Closer* const closer;
  const unsigned most_threads;
  Fifo<OsHandle> handles;
  unsigned threads = 0;                 // Each with one of them.
  bool listed = false;                  // Among those of which more may be closed,
  std::shared_ptr<HandleAccount> next;  // and who comes behind it there.
};

HandleAccount::HandleAccount(size_t most_held, size_t most_closing, UniqueFunction<void()> on_room)
    : most_held_(most_held), most_closing_(most_closing), on_room_(std::move(on_room)) {}
HandleAccount::~HandleAccount() = default;

void HandleAccount::Closed(size_t count) {
  closing_ -= count;
  if (full() || !waits_ || !waits_.exchange(false)) return;
  // The next that is closed tells it then.
  if (!IfMemory([this] { on_room_(); })) waits_ = true;
}

namespace {

// As many closes may wait for their peers at a time; what more there is waits for one of them.
constexpr unsigned kMostThreads = 1024;
// Of these, for one account: a user on one of the loops, who so holds up nobody else.
constexpr unsigned kMostOfOne = 4;
// For what is on nobody's.
constexpr unsigned kMostOfNobody = 32;

// A thread without work stays for so long.
constexpr std::chrono::seconds kIdle{1};

}  // namespace

// The threads that close. Never destroyed: they are detached, and one may wait for as long as a
// peer likes.
class Closer {
 public:
  // This process's own: its threads are not in a child that was forked, and what they had locked
  // stays so there. For the same reason nothing is locked here.
  static Closer& Get() {
    static std::atomic<Closer*> current = nullptr;
    const uint32_t own = OwnPid();
    Closer* closer = current;
    while (closer == nullptr || closer->process_ != own) {
      auto fresh = std::make_unique<Closer>(own);
      if (current.compare_exchange_strong(closer, fresh.get())) return *fresh.release();
    }
    return *closer;
  }

  explicit Closer(uint32_t process) : process_(process) {}

  // Of a loop, which shall not wait: what is done under the lock is short, and few are awake. For
  // those that are still valid after it there was no memory.
  void Add(std::vector<OsHandle>& handles, std::shared_ptr<HandleAccount> account) {
    std::unique_lock lock(mutex_);
    if (!account) account = nobody_;
    ClosingQueue& queue = QueueOf(*account);
    queue.handles.MakeRoom(handles.size());
    for (OsHandle& handle : handles) queue.handles.push_back(std::move(handle));
    open_ += handles.size();
    List(std::move(account));
    if (Rouse()) Start(lock);
  }

  void Finish() {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return open_ == 0; });
  }

 private:
  // All that follows: locked.

  ClosingQueue& QueueOf(HandleAccount& account) {
    if (account.queue_ == nullptr || account.queue_->closer != this) {
      const unsigned most = &account == nobody_.get() ? kMostOfNobody : kMostOfOne;
      auto fresh = std::make_unique<ClosingQueue>(this, most);
      // In a child that was forked the old one may be in any state.
      [[maybe_unused]] const ClosingQueue* const lost = account.queue_.release();
      account.queue_ = std::move(fresh);
    }
    return *account.queue_;
  }

  // Puts it behind the others, if more of it may be closed.
  void List(std::shared_ptr<HandleAccount> account) {
    ClosingQueue& queue = *account->queue_;
    if (queue.listed || queue.handles.empty() || queue.threads == queue.most_threads) return;
    queue.listed = true;
    auto& place = last_ == nullptr ? first_ : last_->queue_->next;
    last_ = account.get();
    place = std::move(account);
  }

  // Of whose turn it is; there is one.
  std::shared_ptr<HandleAccount> Unlist() {
    auto account = std::move(first_);
    first_ = std::move(account->queue_->next);
    if (first_ == nullptr) last_ = nullptr;
    account->queue_->listed = false;
    return account;
  }

  // One more is to look for work, but one at a time: mostly those that are awake have done it by
  // the time it comes. True if it must be started.
  bool Rouse() {
    if (rousing_ || first_ == nullptr) return false;
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
    while (threads_ == 0 && first_ != nullptr) CloseOne(lock, false);
  }

  void Work() {
    std::unique_lock lock(mutex_);
    rousing_ = false;
    while (Await(lock)) CloseOne(lock, true);
    --threads_;
  }

  // Whether there is work.
  bool Await(std::unique_lock<std::mutex>& lock) {
    const auto end = std::chrono::steady_clock::now() + kIdle;
    ++idle_;
    auto waited = std::cv_status::no_timeout;
    while (first_ == nullptr && waited == std::cv_status::no_timeout) {
      waited = changed_.wait_until(lock, end);
      rousing_ = false;  // Also if others have done it all: the next is not to wait for this one.
    }
    --idle_;
    return first_ != nullptr;
  }

  // Returns locked.
  void CloseOne(std::unique_lock<std::mutex>& lock, bool rouses) {
    const std::shared_ptr<HandleAccount> account = Unlist();
    ClosingQueue& queue = *account->queue_;
    OsHandle handle = queue.handles.TakeFront();
    ++queue.threads;
    List(account);
    // This one may not come back.
    if (rouses && Rouse()) Start(lock);
    lock.unlock();
    handle.Close();
    if (account != nobody_) account->Closed(1);
    lock.lock();
    --queue.threads;
    List(account);
    --open_;
    if (open_ == 0) finished_.notify_all();
  }

  const uint32_t process_;
  const std::shared_ptr<HandleAccount> nobody_ =
      std::make_shared<HandleAccount>(0, 0, UniqueFunction<void()>());
  std::mutex mutex_;  // Guards all that follows.
  std::condition_variable changed_;
  std::condition_variable finished_;
  // Those of which more may be closed, each in its turn.
  std::shared_ptr<HandleAccount> first_;
  HandleAccount* last_ = nullptr;
  size_t open_ = 0;  // Handles that are not yet closed.
  unsigned threads_ = 0;
  unsigned idle_ = 0;
  bool rousing_ = false;  // One was woken or started and has not come yet.
};

void CloseLater(std::vector<OsHandle> handles, std::shared_ptr<HandleAccount> account) {
  if (handles.empty()) return;
  const size_t count = handles.size();
  if (account) {
    account->closing_ += count;
    account->held_ -= count;
  }
  if (IfMemory([&] { Closer::Get().Add(handles, account); })) return;
  // Without memory to put them off they are closed here.
  handles.clear();
  if (account) account->Closed(count);
}

void FinishClosing() { Closer::Get().Finish(); }

}  // namespace lwmsg::internal

namespace lwmsg {

void CloseLater(std::vector<OsHandle> handles) {
  internal::CloseLater(std::move(handles), nullptr);
}

}  // namespace lwmsg
