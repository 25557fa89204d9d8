#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "lwmsg/os_handle.h"

namespace lwmsg::test {

// A child of this process, by fork, with all that this one has open. Killed and reaped at the end.
class Child {
 public:
  // Becomes `user` and runs `act`, whose result says whether that went well; if not, the test
  // fails. Returns when it is done. The child then lives on and does nothing.
  Child(uid_t user, const std::function<bool()>& act);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

// What is done in a child that has ended when this returns.
inline void RunAs(uid_t user, const std::function<bool()>& act) { Child(user, act); }

// The socket of a connection that a process of `user` made and has left to this one.
OsHandle ConnectedBy(uid_t user, const std::string& endpoint);

// Connects `socket` to a server that has room.
bool ConnectTo(const OsHandle& socket, const std::string& endpoint);
OsHandle NewSocket();

}  // namespace lwmsg::test
