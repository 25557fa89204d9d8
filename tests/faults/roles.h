#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "lwmsg/os_handle.h"
#include "tests/faults/report.h"
#include "tests/faults/session.h"

namespace faults {

// Longer than anything takes that ends by itself.
constexpr std::chrono::milliseconds kLimit{10'000};

// A child that runs a function, whose result is its exit code. Killed and reaped at the end.
class Child {
 public:
  explicit Child(const std::function<int()>& role);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  // As waitpid tells it; nothing if it goes on for kLimit.
  std::optional<int> Wait();
  // Whether it has ended.
  bool ended();
  void Kill() const;
  // How many it has open.
  size_t CountDescriptors() const;

 private:
  pid_t pid_ = 0;
  lwmsg::OsHandle process_;
  std::optional<int> status_;
};

// A server of the tests' Sample interface, which is told what to do over a socket.
class ServerProcess {
 public:
  ServerProcess(const std::string& endpoint, const Plan& plan, Report& report);

  // False: it has ended, or says nothing.
  bool WaitReady() { return Hear(); }
  // From now on it has no faults. False: as above.
  bool EndFaults() { return Tell('d') && Hear(); }
  // It takes everything down and ends by itself.
  bool Quit() { return Tell('q'); }
  Child& child() { return *child_; }

 private:
  bool Tell(char what) const;
  bool Hear() const;

  lwmsg::OsHandle control_;
  std::optional<Child> child_;
};

// What the client's process does; RunSession, mostly.
using ClientRole = std::function<void(Report& report)>;

// Runs `role` under `plan`, sees that every call has ended and every descriptor is closed.
int BeClient(const ClientRole& role, const Plan& plan, Report& report);

}  // namespace faults
