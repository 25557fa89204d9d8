#include "tests/reliability/server.h"

#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <new>
#include <optional>

#include "lwmsg/lwmsg.h"
#include "runtime/uv_loop.h"
#include "tests/reliability/figures.h"
#include "tests/reliability/work_service.h"

namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

// How long the calling thread was ready to run but had no processor, so far: the second number.
nanoseconds WaitedForProcessor() {
  std::ifstream file("/proc/thread-self/schedstat");
  int64_t ran = 0;
  int64_t waited = 0;
  file >> ran >> waited;
  return nanoseconds(waited);
}

// Sees how late a timer of the loop comes.
class StallMeter {
 public:
  StallMeter(Loop& loop, std::atomic<uint64_t>& longest_us)
      : longest_us_(longest_us), timer_(loop.impl(), [this] { OnTick(); }) {
    Begin();
  }

 private:
  static constexpr milliseconds kTick{1};

  void Begin() {
    waited_before_ = WaitedForProcessor();
    due_ = steady_clock::now() + kTick;
    timer_.Arm(due_);
  }
  void OnTick() {
    const nanoseconds late = steady_clock::now() - due_;
    const nanoseconds stall = late - (WaitedForProcessor() - waited_before_);
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(stall).count();
    if (us > static_cast<int64_t>(longest_us_)) longest_us_ = static_cast<uint64_t>(us);
    Begin();
  }

  std::atomic<uint64_t>& longest_us_;
  Timer timer_;
  nanoseconds waited_before_{};
  steady_clock::time_point due_;
};

// Runs `on_line` on the loop when the parent says something.
class Listening {
 public:
  Listening(Loop& loop, const Talk& talk, std::function<void()> on_line)
      : on_line_(std::move(on_line)), poll_(new uv_poll_t) {
    poll_->data = this;
    uv_poll_init(loop.uv(), poll_, talk.socket().get());
    uv_poll_start(poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
      auto* self = static_cast<Listening*>(poll->data);
      uv_poll_stop(poll);
      self->on_line_();
    });
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() {
    uv_close(reinterpret_cast<uv_handle_t*>(poll_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  }

 private:
  std::function<void()> on_line_;
  uv_poll_t* poll_;
};

void Serve(const std::string& endpoint, const ServerConfig& config, ServerProcess::Shown& shown,
           const Talk& talk) {
  if (config.memory != nullptr) config.memory->Enter();
  Loop loop;
  WorkService work;
  ServerOptions options;
  options.limits = config.limits;
  options.on_end = [&shown](const Token&, const Status&) {
    shown.last_end_ns = steady_clock::now().time_since_epoch().count();
    ++shown.ends;
  };
  Server server(loop, std::move(options));
  Status status = server.Serve(work);
  char nothing = 0;
  if (config.gate >= 0 && read(config.gate, &nothing, 1) != 0) return;
  if (status.ok()) {
    ListenOptions listen;
    listen.mode = 0666;
    listen.backlog = 4096;
    status = config.listening >= 0 ? server.ListenOn(OsHandle(config.listening))
                                   : server.Listen(endpoint, listen);
  }
  if (!status.ok()) return talk.Say(status.ToString());
  std::optional<StallMeter> stalls;
  if (config.measures_stalls) stalls.emplace(loop, shown.longest_stall_us);
  const Listening listening(
      loop, talk, [&] { server.Drain(std::chrono::seconds(5), [&loop] { loop.Stop(); }); });
  talk.Say("ready");
  loop.Run();
}

ServerProcess::Shown* Share() {
  void* memory = mmap(nullptr, sizeof(ServerProcess::Shown), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  return new (memory) ServerProcess::Shown;
}

}  // namespace

ServerProcess::ServerProcess(const std::string& endpoint, const ServerConfig& config)
    : shown_(Share()),
      child_([&](const Talk& talk) { Serve(endpoint, config, *shown_, talk); }, {},
             config.gate >= 0 ? config.gate : config.listening) {
  if (config.gate < 0) started();
}

const std::string& ServerProcess::started() {
  if (started_.empty()) started_ = child_.talk().Hear();
  return started_;
}

ServerProcess::~ServerProcess() {
  child_.End();
  munmap(shown_, sizeof(Shown));
}

bool ServerProcess::AwaitEnd() {
  return Await([this] { return !alive(); });
}

}  // namespace lwmsg::test
