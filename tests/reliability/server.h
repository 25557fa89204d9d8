#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "lwmsg/limits.h"
#include "lwmsg/os_handle.h"
#include "tests/reliability/child.h"
#include "tests/reliability/memory_limit.h"

namespace lwmsg::test {

struct ServerConfig {
  Limits limits = {};
  // If given, the server enters it.
  const MemoryLimit* memory = nullptr;
  // Looks each millisecond how late its loop is.
  bool measures_stalls = false;
  // Instead of the endpoint: a socket that listens.
  int listening = -1;
  // A pipe at whose end it begins to listen.
  int gate = -1;
};

// A process with a server of Work on one loop.
class ServerProcess {
 public:
  // What it shows of itself, in memory that both processes have.
  struct Shown {
    // How long its loop did nothing else, without the time for which it waited for a processor.
    std::atomic<uint64_t> longest_stall_us = 0;
    // Associations that have ended, and when the last one did, as steady_clock says it.
    std::atomic<uint64_t> ends = 0;
    std::atomic<int64_t> last_end_ns = 0;
  };

  // Returns when it listens; with a gate, at once.
  explicit ServerProcess(const std::string& endpoint, const ServerConfig& config = {});
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  // "ready", or why it does not listen. Waits for it.
  const std::string& started();
  pid_t pid() const { return child_.pid(); }
  bool alive() { return child_.alive(); }
  const Shown& shown() const { return *shown_; }
  void Signal(int signal) const { child_.Signal(signal); }
  // Takes no new clients and ends when the calls in hand are answered.
  void Drain() const { child_.talk().Say("drain"); }
  // True if it has ended within 20 seconds.
  bool AwaitEnd();
  void Kill() { child_.End(); }

 private:
  Shown* const shown_;
  Child child_;
  std::string started_;
};

}  // namespace lwmsg::test
