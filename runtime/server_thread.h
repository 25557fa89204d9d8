#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "lwmsg/function.h"
#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/token.h"
#include "runtime/server_loop.h"
#include "runtime/uv_loop.h"

namespace lwmsg::internal {

// A further loop of a server, on a thread of its own, with the associations that are there. All
// functions on the server's loop. The destructor waits for what runs on the thread.
class ServerThread final : private ServerLoop::Owner {
 public:
  using OnEndFunction = std::shared_ptr<UniqueFunction<void(const Token&, const Status&)>>;

  // `left` runs on the thread when an association has ended and is gone, after `on_end`, which may
  // be null. Throws what the thread or its loop throws that cannot be made.
  ServerThread(std::chrono::microseconds busy_wait, ServerLoop::Shared shared, OnEndFunction on_end,
               UniqueFunction<void(const Placement::Place&)> left);
  ServerThread(const ServerThread&) = delete;
  ServerThread& operator=(const ServerThread&) = delete;
  ~ServerThread();

  // Runs `function(ServerLoop&)` on the thread, later, in order.
  template <typename Function>
  void Post(Function function) {
    loop_->Post(
        SureTask([this, function = std::move(function)]() mutable { function(*associations_); }));
  }
  // Begins what the destructor waits for; the last call.
  void End();

 private:
  void Run();
  void Serve();
  void OnEnd(ServerLoop::Member member, const Status& reason) override;

  const std::chrono::microseconds busy_wait_;
  const ServerLoop::Shared shared_;
  const OnEndFunction on_end_;
  UniqueFunction<void(const Placement::Place&)> left_;
  bool ended_ = false;
  // Set by the thread before anything else is done here.
  UvLoop* loop_ = nullptr;
  ServerLoop* associations_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool runs_ = false;            // Guarded by mutex_.
  std::exception_ptr unusable_;  // Why its loop could not be made. Guarded by mutex_.
  std::thread thread_;
};

}  // namespace lwmsg::internal
