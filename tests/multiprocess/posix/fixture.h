#pragma once

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

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
  OsHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  EXPECT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(chmod(path.c_str(), 0666), 0);
  EXPECT_EQ(listen(socket.get(), 5), 0);
  return socket;
}

}  // namespace lwmsg::test
