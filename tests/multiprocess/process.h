#pragma once

#include <sys/types.h>

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
                   const std::vector<int>& inherited = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  std::string PidText() const { return std::to_string(pid_); }
  // The next line that the role prints; "(nothing)" after its end or 20 seconds.
  std::string ReadLine();
  // Writes a line to the role's standard input.
  void Tell(const std::string& line);
  void Kill(int signal = 9);
  // The exit code; -1 for a death by signal or after 20 seconds.
  int Wait();

 private:
  pid_t pid_ = 0;
  OsHandle process_;
  OsHandle to_role_;
  OsHandle from_role_;
  std::string unread_;
};

// Kills and reaps a child of another make at the end.
class Reaper {
 public:
  explicit Reaper(uint32_t pid) : pid_(static_cast<pid_t>(pid)) {}
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;
  ~Reaper();

 private:
  pid_t pid_;
};

// The path of this binary.
std::string OwnPath();

// What the descriptors of a process that are sockets show as: "socket:[4711]".
std::vector<std::string> SocketsOf(pid_t pid);
size_t CountDescriptorsOf(pid_t pid);

}  // namespace lwmsg::test
