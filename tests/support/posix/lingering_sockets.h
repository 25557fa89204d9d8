#pragma once

#include <netinet/in.h>

#include <chrono>
#include <vector>

#include "lwmsg/os_handle.h"

namespace lwmsg::test {

// Makes sockets whose last close waits, as their other ends take nothing (SO_LINGER, socket(7)):
// for whole seconds, or until those are closed.
class LingeringSockets {
 public:
  explicit LingeringSockets(std::chrono::seconds linger);

  // Not valid if the system has no more.
  OsHandle New();
  void CloseOtherEnds() { other_ends_.clear(); }

 private:
  std::chrono::seconds linger_;
  OsHandle listening_;
  sockaddr_in address_{};
  std::vector<OsHandle> other_ends_;
};

}  // namespace lwmsg::test
