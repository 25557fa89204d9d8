#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <string>

#include "tests/multiprocess/fixture.h"
#include "tests/multiprocess/posix/user.h"

namespace lwmsg::test {

// How a token begins that is of `user`, whose group has the same number, in process `pid`.
inline std::string TokenText(uid_t user, const std::string& pid) {
  const std::string number = std::to_string(user);
  return "euid=" + number + " egid=" + number + " pid=" + pid + " ";
}

// A listening socket that anybody may connect to, made without lwmsg.
inline OsHandle ListenAt(const std::string& path) {
  OsHandle socket = ListenPlainly("unix:" + path);
  EXPECT_EQ(chmod(path.c_str(), 0666), 0);
  return socket;
}

}  // namespace lwmsg::test
