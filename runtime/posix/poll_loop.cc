#include <poll.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/platform.h"

namespace lwmsg::internal {
namespace {

// An IoLoop over poll(2), for a thread that has nothing to do but wait.
class PollLoop final : public BlockingLoop {
 public:
  ~PollLoop() override { CloseDoor(); }

  void RunOnce(bool may_wait) override {
    thread_ = std::this_thread::get_id();
    // What a task does may be what the caller waits for.
    if (RunPosted()) may_wait = false;
    FlushAll();
    // Inside a callback: what its socket has read already, poll(2) does not tell of.
    if (SocketWatch* outer = std::exchange(notified_, nullptr)) {
      outer->Notify(POLLIN);
      may_wait = false;
    }
    if (watches_.empty()) {
      if (may_wait) WaitForPost();
      RunTimers();
    } else {
      Poll(may_wait ? PollTimeout() : 0);
    }
    RunPosted();
    FlushAll();
  }

  void Post(Task task) override {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
    // Only a loop without sockets waits here: all that is posted to another comes from its own
    // thread.
    posted_some_.notify_one();
  }

  TimePoint Now() const override { return std::chrono::steady_clock::now(); }
  bool OnOwnThread() const override { return std::this_thread::get_id() == thread_; }
  void Hold() override {}
  void Unhold() override {}
  TimePoint TurnTime() const override { return turn_time_; }

  Result<std::unique_ptr<Watch>> WatchSocket(OsHandle::Native socket,
                                             ReadyCallback callback) override {
    return std::make_unique<SocketWatch>(*this, socket, std::move(callback));
  }

 private:
  struct SocketWatch final : Watch {
    SocketWatch(PollLoop& owner, int fd, ReadyCallback function)
        : loop(owner), socket(fd), callback(std::move(function)) {
      loop.watches_.push_back(this);
    }
    ~SocketWatch() override {
      std::erase(loop.watches_, this);
      if (loop.notified_ == this) loop.notified_ = nullptr;
    }

    void Want(Ready wanted) override {
      events =
          static_cast<int16_t>((wanted.readable ? POLLIN : 0) | (wanted.writable ? POLLOUT : 0));
    }
    void Notify(int revents) {
      const bool ended = (revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
      callback({ended || (revents & POLLIN) != 0, (revents & POLLOUT) != 0});
    }

    PollLoop& loop;
    int socket;
    int16_t events = 0;
    ReadyCallback callback;
  };

  void OnEarliestTimer(std::optional<TimePoint> /*when*/) override {}

  void Poll(int timeout) {
    std::vector<pollfd> polled;
    const std::vector<SocketWatch*> watches = watches_;
    polled.reserve(watches.size());
    for (const SocketWatch* watch : watches) polled.push_back({watch->socket, watch->events, 0});
    poll(polled.data(), polled.size(), timeout);
    turn_time_ = Now();
    RunTimers(turn_time_);
    for (size_t i = 0; i < polled.size(); ++i) {
      // An earlier callback may have ended this watch.
      const bool lives = std::find(watches_.begin(), watches_.end(), watches[i]) != watches_.end();
      if (!lives || polled[i].revents == 0) continue;
      notified_ = watches[i];
      watches[i]->Notify(polled[i].revents);
      notified_ = nullptr;
    }
  }

  // Where what comes is posted by other threads (DIRECT).
  void WaitForPost() {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return !posted_.empty(); };
    if (const auto when = earliest_timer()) {
      posted_some_.wait_until(lock, *when, ready);
    } else {
      posted_some_.wait(lock, ready);
    }
  }

  // Milliseconds for poll(2), rounded up so that the timer is due when it returns.
  int PollTimeout() {
    const std::lock_guard lock(mutex_);
    if (!posted_.empty()) return 0;
    const auto when = earliest_timer();
    if (!when) return -1;
    const auto delay = std::chrono::ceil<std::chrono::milliseconds>(*when - Now()).count();
    return static_cast<int>(std::clamp<int64_t>(delay, 0, 1'000'000));
  }

  // False if there was nothing to run. One by one: a task that waits inside lets those behind it
  // run in their order.
  bool RunPosted() {
    size_t count = 0;
    {
      const std::lock_guard lock(mutex_);
      count = posted_.size();
    }
    for (size_t i = 0; i < count; ++i) {
      Task task;
      {
        const std::lock_guard lock(mutex_);
        if (posted_.empty()) break;
        task = std::move(posted_.front());
        posted_.pop_front();
      }
      task();
    }
    return count != 0;
  }

  std::atomic<std::thread::id> thread_ = std::this_thread::get_id();  // Who waits.
  std::vector<SocketWatch*> watches_;
  SocketWatch* notified_ = nullptr;  // Whose callback runs, unless it has been told again inside.
  TimePoint turn_time_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable posted_some_;
  std::deque<Task> posted_;  // Guarded by mutex_.
};

}  // namespace

std::unique_ptr<BlockingLoop> MakeBlockingLoop() { return std::make_unique<PollLoop>(); }

}  // namespace lwmsg::internal
