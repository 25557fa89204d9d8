#include "runtime/blocking_loop.h"

#include <algorithm>
#include <utility>

#include "lwmsg/internal/spare_memory.h"
#include "runtime/platform.h"

namespace lwmsg::internal {

struct BlockingLoop::NativeWatch final : IoLoop::Watch {
  NativeWatch(BlockingLoop& owner, OsHandle::Native what, ReadyCallback function)
      : loop(owner), native(what), callback(std::move(function)) {
    loop.watches_.push_back(this);
  }
  ~NativeWatch() override {
    std::erase(loop.watches_, this);
    if (loop.notified_ == this) loop.notified_ = nullptr;
  }

  void Want(Ready what) override { wanted = what; }

  BlockingLoop& loop;
  OsHandle::Native native;
  Ready wanted = {};
  ReadyCallback callback;
};

BlockingLoop::~BlockingLoop() { CloseDoor(); }

void BlockingLoop::RunOnce(bool may_wait) {
  thread_ = std::this_thread::get_id();
  // What a task does may be what the caller waits for.
  if (RunPosted()) may_wait = false;
  FlushAll();
  // Inside a callback: of what its stream has read already, the system does not tell.
  if (NativeWatch* outer = std::exchange(notified_, nullptr)) {
    outer->callback({true, false});
    may_wait = false;
  }
  if (watches_.empty()) {
    if (may_wait) WaitForPost();
    RunTimers();
  } else {
    WaitForWatches(may_wait ? Timeout() : 0);
  }
  RunPosted();
  FlushAll();
}

void BlockingLoop::Post(Task task) {
  const std::lock_guard lock(mutex_);
  Insist([&] { posted_.push_back(std::move(task)); });
  // Only a loop without watches waits here: all that is posted to another comes from its own
  // thread.
  posted_some_.notify_one();
}

Result<std::unique_ptr<IoLoop::Watch>> BlockingLoop::MakeWatch(OsHandle::Native native,
                                                               ReadyCallback callback) {
  return std::make_unique<NativeWatch>(*this, native, std::move(callback));
}

void BlockingLoop::OnEarliestTimer(std::optional<TimePoint> /*when*/) {}

void BlockingLoop::Tell(NativeWatch& watch, Ready happened) {
  notified_ = &watch;
  watch.callback(happened);
  notified_ = nullptr;
}

bool BlockingLoop::WaitForReader(NativeWatch& reader, int timeout_ms) {
  const uint64_t before = arrivals();
  if (adaptive().Begin(Now())) {
    do {
      Tell(reader, {true, false});
      if (arrivals() != before || watches_.empty()) {
        adaptive().Found();
        return true;
      }
      YieldProcessor();
    } while (!adaptive().IsOver(Now()));
    adaptive().Missed();
  }
  const bool soon = timeout_ms >= 0 && timeout_ms < kLongestRead.count();
  if (!reader.wanted.in_read || soon) return false;
  Tell(reader, {true, false, true});
  if (arrivals() == before) {
    turn_time_ = Now();
    RunTimers(turn_time_);
  }
  return true;
}

void BlockingLoop::WaitForWatches(int timeout_ms) {
  if (timeout_ms != 0 && watches_.size() == 1) {
    NativeWatch& only = *watches_.front();
    if (only.wanted.readable && !only.wanted.writable && WaitForReader(only, timeout_ms)) return;
  }
  std::vector<Waited> waited;
  std::vector<NativeWatch*> watches;
  Insist([&] {
    watches = watches_;
    waited.reserve(watches.size());
  });
  for (const NativeWatch* watch : watches) waited.push_back({watch->native, watch->wanted});
  Wait(waited, timeout_ms);
  turn_time_ = Now();
  RunTimers(turn_time_);
  for (size_t i = 0; i < waited.size(); ++i) {
    // An earlier callback may have ended this watch.
    const bool lives = std::find(watches_.begin(), watches_.end(), watches[i]) != watches_.end();
    const Ready happened = waited[i].happened;
    if (!lives || (!happened.readable && !happened.writable)) continue;
    Tell(*watches[i], happened);
  }
}

// Where what comes is posted by other threads (DIRECT).
void BlockingLoop::WaitForPost() {
  if (LookForPost()) return;
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return !posted_.empty(); };
  if (const auto when = earliest_timer()) {
    posted_some_.wait_until(lock, *when, ready);
  } else {
    posted_some_.wait(lock, ready);
  }
}

bool BlockingLoop::LookForPost() {
  if (!adaptive().Begin(Now())) return false;
  do {
    {
      const std::lock_guard lock(mutex_);
      if (!posted_.empty()) {
        adaptive().Found();
        return true;
      }
    }
    YieldProcessor();
  } while (!adaptive().IsOver(Now()));
  adaptive().Missed();
  return false;
}

// In milliseconds, rounded up so that the timer is due when the wait is over.
int BlockingLoop::Timeout() {
  const std::lock_guard lock(mutex_);
  if (!posted_.empty()) return 0;
  const auto when = earliest_timer();
  if (!when) return -1;
  const auto delay = std::chrono::ceil<std::chrono::milliseconds>(*when - Now()).count();
  return static_cast<int>(std::clamp<int64_t>(delay, 0, 1'000'000));
}

// False if there was nothing to run. One by one: a task that waits inside lets those behind it run
// in their order.
bool BlockingLoop::RunPosted() {
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
    IfMemory(task);
  }
  return count != 0;
}

}  // namespace lwmsg::internal
