#pragma once

#include "lwmsg/os_handle.h"
#include "runtime/windows/peer_token.h"

namespace lwmsg::internal {

// Who is at the other end of a pipe that was not accepted here: of a pair whom SpawnWithPair or
// SetPairPeer says; of another pipe whom the system names. Unknown for an end of a pair that this
// process made and nobody spoke for.
PeerProcess PeerOfPair(const OsHandle& end, bool server_end);

}  // namespace lwmsg::internal
