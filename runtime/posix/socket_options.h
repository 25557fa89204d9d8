#pragma once

namespace lwmsg::internal {

// Numbers of the kernel (since Linux 6.5, asm-generic/socket.h and linux/socket.h) that Debian 12's
// headers do not have.
constexpr int kSoPassPidfd = 76;
constexpr int kSoPeerPidfd = 77;
constexpr int kScmPidfd = 4;

}  // namespace lwmsg::internal
