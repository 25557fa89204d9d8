#pragma once

#include <memory>

#include "runtime/handle_transfer.h"
#include "runtime/windows/peer_token.h"

namespace lwmsg::internal {

// To the process of `peer`, which may be unknown: then this side cannot duplicate.
std::unique_ptr<HandleDoor> MakeHandleDoor(const PeerProcess& peer);

}  // namespace lwmsg::internal
