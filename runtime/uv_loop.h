#pragma once

#include <uv.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/io_loop.h"
#include "runtime/uv_handle.h"

namespace lwmsg::internal {

// The IoLoop over libuv. All functions but Post on the loop's thread. Outlives whatever uses it.
class UvLoop final : public IoLoop {
 public:
  // On a loop of its own, or on `borrowed`, which outlives it and is run by its owner. Throws
  // std::runtime_error if the system refuses what it needs.
  explicit UvLoop(uv_loop_t* borrowed);
  ~UvLoop() override;

  uv_loop_t* uv() { return uv_; }
  // Until Stop, or until nothing is left that could happen. For a loop of its own.
  void Run();
  // Makes Run return; from any thread.
  void Stop();

  void Post(Task task) override;
  TimePoint Now() const override { return std::chrono::steady_clock::now(); }
  bool OnOwnThread() const override { return std::this_thread::get_id() == thread_; }
  void Hold() override;
  void Unhold() override;
  // libuv reads the clock once a turn, the same one: this costs nothing more.
  TimePoint TurnTime() const override { return TimePoint(std::chrono::milliseconds(uv_now(uv_))); }
  Result<std::unique_ptr<Watch>> MakeWatch(OsHandle::Native native,
                                           ReadyCallback callback) override;

 private:
  struct Handles;

  void OpenHandles();
  void CloseHandles();
  void OnEarliestTimer(std::optional<TimePoint> when) override;
  void RunPosted();
  // What the poll brought has been handled: something may follow soon.
  void OnPolled();
  void OnLook();

  std::unique_ptr<uv_loop_t> own_;
  uv_loop_t* uv_;
  std::unique_ptr<Handles> handles_;
  std::atomic<std::thread::id> thread_;   // Who runs the loop, or ran it last.
  std::atomic<std::thread::id> running_;  // Who is inside Run.
  int holds_ = 0;
  bool looking_ = false;
  uint64_t arrivals_seen_ = 0;
  std::mutex mutex_;
  std::vector<Task> posted_;  // Guarded by mutex_.
};

}  // namespace lwmsg::internal
