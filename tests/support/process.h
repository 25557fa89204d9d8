#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lwmsg/os_handle.h"

namespace lwmsg::test {

// "key=value" strings, as a role gets them.
using Arguments = std::vector<std::string>;

// A child process that plays a role of this binary. Killed and reaped at the end.
class Process {
 public:
  // `inherited` descriptors keep their numbers in the child.
  explicit Process(const std::string& role, const Arguments& arguments = {},
                   const std::vector<OsHandle::Native>& inherited = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  uint32_t pid() const { return pid_; }
  std::string PidText() const { return std::to_string(pid_); }
  // The next line that the role prints; "(nothing)" after its end or 20 seconds.
  std::string ReadLine();
  // Writes a line to the role's standard input.
  void Tell(const std::string& line);
  // With no chance to do anything before its end. Returns before that.
  void Kill();
  // The exit code; -1 for a death by signal or after 20 seconds.
  int Wait();

 private:
  // Appends what the role prints next. False after its end or 20 seconds.
  bool ReadMore();

  uint32_t pid_ = 0;
  OsHandle process_;
  OsHandle to_role_;
  OsHandle from_role_;
  std::string unread_;
};

// Kills and reaps a child of another make at the end.
class Reaper {
 public:
  // While the child has that number, and nobody after it.
  explicit Reaper(uint32_t pid);
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;
  ~Reaper();

  // As Process::Kill.
  void Kill() const;

 private:
  uint32_t pid_;
  OsHandle process_;
};

// For a role, first of all: it is killed when its parent ends. Forgotten when its user changes.
void DieWithParent();

// Whether the process has ended, or ends within 20 seconds.
bool HasEnded(const OsHandle& process);
bool WaitForEnd(const OsHandle& process);

// The path of this binary.
std::string OwnPath();

// What a role needs to know of a descriptor that it inherits, and what it makes of it.
std::string NumberOf(const OsHandle& file);
OsHandle TakeNumber(const std::string& number);

}  // namespace lwmsg::test
