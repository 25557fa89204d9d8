#pragma once

#include <sys/types.h>

#include <vector>

namespace lwmsg::test {

// Users that no machine has; their groups have the same numbers.
constexpr uid_t kAlice = 12345;
constexpr uid_t kBob = 12346;
constexpr uid_t kDave = 12348;
// One that at most one test at a time is: what a user has on the way counts for all its processes.
constexpr uid_t kCarol = 12347;

// Gives up all that this process is for that user. False if the kernel refuses.
bool BecomeUser(uid_t user, gid_t group, const std::vector<gid_t>& groups);
// The same for one whose effective and saved ids are others.
bool BecomeUsers(uid_t real, uid_t effective, uid_t saved);

// True if a child of this process could.
bool CanBecomeOthers();

}  // namespace lwmsg::test

// Skips the test where this process cannot start others as other users.
#define LWMSG_SKIP_UNLESS_ROOT()         \
  if (!::lwmsg::test::CanBecomeOthers()) \
  GTEST_SKIP() << "this user cannot become others; run as root"
