#pragma once

#include <sys/types.h>

#include <vector>

namespace lwmsg::test {

// Two users that no machine has; their groups have the same numbers.
constexpr uid_t kAlice = 12345;
constexpr uid_t kBob = 12346;

// Gives up all that this process is for that user. False if the kernel refuses.
bool BecomeUser(uid_t user, gid_t group, const std::vector<gid_t>& groups);

// True if a child of this process could.
bool CanBecomeOthers();

}  // namespace lwmsg::test

// Skips the test where this process cannot start others as other users.
#define LWMSG_SKIP_UNLESS_ROOT()         \
  if (!::lwmsg::test::CanBecomeOthers()) \
  GTEST_SKIP() << "this user cannot become others; run as root"
