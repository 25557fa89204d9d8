#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>
#include <vector>

#include "lwmsg/os_handle.h"

// Descriptors over sockets without lwmsg (SCM_RIGHTS, unix(7)).
namespace lwmsg::test {

std::vector<int> NumbersOf(std::span<const OsHandle> handles);

// As sendmsg(2), with a control message for each of `sets` that is not empty.
ssize_t SendRights(const OsHandle& socket, std::string_view bytes,
                   const std::vector<std::vector<int>>& sets, int flags);
// As recvmsg(2); owns what comes with the bytes.
ssize_t ReceiveRights(const OsHandle& socket, std::span<char> bytes, std::vector<OsHandle>& handles,
                      int flags);

}  // namespace lwmsg::test
