#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "lwmsg/os_handle.h"

namespace lwmsg::test {

// One end of what a parent and its child say to each other, in lines.
class Talk {
 public:
  explicit Talk(OsHandle socket) : socket_(std::move(socket)) {}

  void Say(const std::string& line) const;
  // What the other side says next; empty if it has ended, or says nothing for so long.
  std::string Hear(std::chrono::seconds longest = std::chrono::seconds(120)) const;
  // The other side has said something, or ended.
  bool spoken() const;
  const OsHandle& socket() const { return socket_; }

 private:
  OsHandle socket_;
};

// A process that does some work: a fork of this one, with no descriptors of it but 0 to 2, the
// talk, and `kept`, which keeps its number. Killed and reaped at the end. The parent has something
// open as 3.
class Child {
 public:
  // As `user`, with the group of the same number, if it is given.
  explicit Child(const std::function<void(const Talk&)>& work, std::optional<uid_t> user = {},
                 int kept = -1);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  const Talk& talk() const { return *talk_; }
  void Signal(int signal) const;
  bool alive();
  // Kills it; returns when it has gone.
  void End();

 private:
  pid_t pid_ = 0;
  std::optional<Talk> talk_;
};

// Users that no machine has. None if this process cannot become another user: all are one then.
constexpr uid_t kAttacker = 12345;
constexpr uid_t kVictim = 12346;
// Many more.
constexpr uid_t kCrowd = 12400;
bool CanBecomeOthers();
std::optional<uid_t> User(uid_t user);

}  // namespace lwmsg::test
