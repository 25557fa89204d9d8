#pragma once

#include <string>

#include "lwmsg/status.h"
#include "runtime/peer_policy.h"

namespace lwmsg::internal {

// The access of a client: to read, write, ask and wait; FILE_GENERIC_READ | FILE_GENERIC_WRITE
// without FILE_APPEND_DATA, which for pipes is FILE_CREATE_PIPE_INSTANCE: who has that can put a
// server of its own beside ours under the same name. A client opens the pipe with just this, as
// GENERIC_WRITE would ask for that right too, and be refused.
inline constexpr uint32_t kPipeClientAccess = 0x12019B;

// The security descriptor of a pipe, in SDDL (Security Descriptor Definition Language):
//   * owner `pipe_owner`: Administrators for an elevated process, else its user, or the one asked
//     for;
//   * nobody anonymous (S-1-5-7), whatever else is granted. NETWORK (S-1-5-2) is not denied: local
//     processes of who logged on by ssh have it. What comes over the network is refused by the pipe
//     itself and again when its process is looked at (PeerFacts::remote);
//   * `policy.own` everything, as it makes further instances; SYSTEM and what `mode` says a
//     client's access; nobody else, and nothing inherited;
//   * a mandatory label that keeps sandboxes out, unless the mode lets in everybody.
// Error: kInvalidArgument if the mode lets in a group and none is named: the primary group of
// Windows accounts is mostly that of all users. And for what is no SID.
Result<std::string> PipeSddl(const Policy& policy, const std::string& pipe_owner);

}  // namespace lwmsg::internal
