#pragma once

namespace lwmsg::internal {

// Numbers of the kernel (since Linux 6.5, asm-generic/socket.h and linux/socket.h) that Debian 12's
// headers do not have.
constexpr int kSoPassPidfd = 76;
constexpr int kSoPeerPidfd = 77;
constexpr int kScmPidfd = 4;
// Since Linux 6.16: whether the kernel passes descriptors to this socket's reader. Who sends some
// gets EPERM, if not. Accepted sockets have what the listening one has when they connect.
constexpr int kSoPassRights = 83;

}  // namespace lwmsg::internal
