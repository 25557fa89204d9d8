#include "tests/multiprocess/posix/child.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/posix/socket_address.h"
#include "tests/multiprocess/posix/user.h"
#include "tests/support/process.h"
#include "tests/support/system.h"

namespace lwmsg::test {

Child::Child(uid_t user, const std::function<bool()>& act) {
  OsPipe done = MakeOsPipe();
  pid_ = fork();
  if (pid_ == 0) {
    DieWithParent();
    if (user != geteuid() && !BecomeUser(user, user, {})) _exit(1);
    if (!act() || !WriteAll(done.writer, "d")) _exit(1);
    while (true) pause();
  }
  done.writer.Close();
  EXPECT_EQ(ReadSome(done.reader, 1), "d") << "the child of user " << user << " failed";
}

Child::~Child() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

OsHandle ConnectedBy(uid_t user, const std::string& endpoint) {
  OsHandle socket = NewSocket();
  RunAs(user, [&] { return ConnectTo(socket, endpoint); });
  return socket;
}

bool ConnectTo(const OsHandle& socket, const std::string& endpoint) {
  auto connected = internal::ConnectOnce(socket, *Endpoint::Parse(endpoint));
  return connected && *connected;
}

OsHandle NewSocket() {
  auto socket = internal::NewSocket();
  EXPECT_TRUE(socket);
  return socket ? std::move(*socket) : OsHandle();
}

}  // namespace lwmsg::test
