#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "lwmsg/lwmsg.h"
#include "runtime/uv_loop.h"

namespace lwmsg::test {

// Something that happens, on whatever thread, and is waited for and counted.
class Event {
 public:
  void Happen();
  // False if it did not happen `times` times within 20 seconds.
  bool Wait(int times = 1);
  int count() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable happened_;
  int count_ = 0;  // Guarded by mutex_.
};

// A server on a loop and a thread of its own. Its functions are for one thread, that of the test,
// and return when the loop has done what they say.
class Host {
 public:
  using MakeOptions = std::function<ServerOptions()>;
  explicit Host(Service& service, MakeOptions options = [] { return ServerOptions(); });
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host();

  void Run(const std::function<void(Server& server)>& task);
  Status Listen(const std::string& endpoint);
  Status Adopt(OsHandle socket);
  void Stop();
  // The server goes, and another one that serves nobody yet comes.
  void Replace();
  // Any thread.
  void Post(UniqueFunction<void()> task) { loop_->Post(std::move(task)); }

 private:
  void MakeServer();

  Service& service_;
  MakeOptions options_;
  std::unique_ptr<Loop> loop_ = std::make_unique<Loop>();
  std::unique_ptr<Timer> stay_;  // The loop runs while nothing is there yet.
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

}  // namespace lwmsg::test
