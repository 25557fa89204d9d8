#include "tests/multiprocess/posix/user.h"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lwmsg::test {

bool BecomeUser(uid_t user, gid_t group, const std::vector<gid_t>& groups) {
  return setgroups(groups.size(), groups.data()) == 0 && setresgid(group, group, group) == 0 &&
         setresuid(user, user, user) == 0;
}

bool BecomeUsers(uid_t real, uid_t effective, uid_t saved) {
  return setgroups(0, nullptr) == 0 && setresgid(real, effective, saved) == 0 &&
         setresuid(real, effective, saved) == 0;
}

bool CanBecomeOthers() {
  static const bool can = [] {
    const pid_t probe = fork();
    if (probe == 0) _exit(BecomeUser(kAlice, kAlice, {}) ? 0 : 1);
    int status = 1;
    return waitpid(probe, &status, 0) == probe && status == 0;
  }();
  return can;
}

}  // namespace lwmsg::test
