#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"

namespace lwmsg {

// The connection mode PAIR: two processes that share an anonymous connected pair of sockets. Who
// serves and who calls is free: give an end to Server::Adopt, Client or BlockingClient. Either side
// learns from the kernel who is at the other end, whoever made the pair.

// Both ends, close-on-exec. Error: kResourceExhausted at a limit of descriptors.
Result<std::pair<OsHandle, OsHandle>> MakePair();

// Says which process is at the other end of `end`, before that is given to a server or client. On
// Windows the system names a pair's maker at both ends: without this, the peer of a maker is
// unknown, unless SpawnWithPair said it. For who gives an end to a child in another way, or keeps
// both ends. The caller holds the child open meanwhile, so that `pid` is no other's. On Unix it
// does nothing: the kernel tells who writes. Error: kUnavailable, kPermissionDenied if the process
// cannot be opened.
Status SetPairPeer(const OsHandle& end, uint32_t pid);

// A program that was started with one end of a pair.
struct Child {
  uint32_t pid = 0;
  // A pidfd: readable when the child has ended, and never another process. The caller still reaps
  // the child with waitpid(2) or waitid(2). Not valid if there was no descriptor left for it. On
  // Windows a process handle, which is signalled then.
  OsHandle process;
  // The other end of the pair.
  OsHandle channel;
};

// Starts `argv` (argv[0] is a path, or is searched in PATH) with this process's environment and one
// end of a new pair, which the child takes up with TakeInheritedPair. To start this very program
// again:
// {"/proc/self/exe", "role"}. The child inherits standard input, output and error, but no other
// descriptor of lwmsg. A side that gives up privileges does so before it first speaks, as the token
// is that of the moment of its hello. Error: kNotFound or kPermissionDenied if there is no such
// program.
Result<Child> SpawnWithPair(const std::vector<std::string>& argv);

// In the child: the end that it was started with; once. Grandchildren do not inherit it. Error:
// kFailedPrecondition if this process was not started by SpawnWithPair, or took it already.
Result<OsHandle> TakeInheritedPair();

}  // namespace lwmsg
