#pragma once

#include <cstdint>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"
#include "lwmsg/token.h"
#include "runtime/peer_policy.h"

// Who the peer is: the process that the pipe names is opened, and its access token read. lwmsg
// never impersonates a client (ImpersonateNamedPipeClient): no thread ever runs with the rights of
// another, so there is nothing that could fail to be reverted. The price is that processes which
// this one may not open stay unknown.
namespace lwmsg::internal {

// A process, opened once and held: as long as it is, its number is not given to another.
struct PeerProcess {
  // SYNCHRONIZE and PROCESS_QUERY_LIMITED_INFORMATION; with `may_duplicate` PROCESS_DUP_HANDLE too,
  // so it is not for users: token.process() is.
  OsHandle process;
  bool may_duplicate = false;
  Token token;
  // In units of 100 ns (FILETIME).
  uint64_t created = 0;

  // For MayConnect and MayServe. The pids, as the pipe tells them before and after OpenPeer, and
  // the time of the connection are the caller's to add; without the pids nobody is accepted.
  PeerFacts Facts() const;
};

// Opens process `pid` and reads its token; it was alive after that. The token is the process's, not
// one that a thread of it may wear. Error: kUnavailable if there is no such process any more,
// kPermissionDenied if this user may not ask it who it is (then its facts stay unknown).
Result<PeerProcess> OpenPeer(uint32_t pid);

// Now, in the units of PeerFacts.
uint64_t SystemTime();

// What the policies need of this process. Error: as OpenPeer.
Result<OwnFacts> ReadOwnFacts();

}  // namespace lwmsg::internal
