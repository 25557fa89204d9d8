#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"
#include "lwmsg/token.h"

namespace lwmsg::internal {

// Who is at the other end of a connected socket, as far as the socket knows by itself.
struct SocketPeer {
  Token token;
  // False: the first message's credentials say more.
  bool is_final;
};
// Of a socket that was accepted here: the process that connected.
SocketPeer PeerOfAccepted(const OsHandle& socket);
// Of one that was connected here: the user, group and process that called listen.
SocketPeer PeerOfConnected(const OsHandle& socket);
// Of one that was made elsewhere. Of a pair nothing is known: the kernel would name its creator for
// both ends (SO_PEERCRED, unix(7)).
SocketPeer PeerOfGiven(const OsHandle& socket);

// `number`, unless it stands for users that have none in this user namespace.
std::optional<uint32_t> KnownUser(uint32_t number);

// Asks the kernel to attach, or no longer, the sender's credentials to what `socket` receives.
void ReceiveCredentials(const OsHandle& socket, bool on);

// The token of the process that wrote a message, from its SCM_CREDENTIALS and, if valid, pidfd.
Token WriterToken(const ucred& credentials, OsHandle process);

// OK if the user who wrote a message is the one that connected. What the kernel attaches for a
// writer that says nothing is his real user, not the effective one (unix(7)).
Status CheckWriter(const std::optional<ucred>& credentials, const Token& connector);

}  // namespace lwmsg::internal
