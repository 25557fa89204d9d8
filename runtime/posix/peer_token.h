#pragma once

#include <sys/socket.h>

#include "lwmsg/os_handle.h"
#include "lwmsg/token.h"

namespace lwmsg::internal {

// Who is at the other end of a connected socket, as far as the socket knows by itself.
struct SocketPeer {
  // On an accepted socket the connector; on a connected one whoever called listen; unknown for a
  // pair, whose creator the kernel would name for both ends (SO_PEERCRED, unix(7)).
  Token token;
  // False unless the socket was accepted: then the first message's credentials say more.
  bool is_final;
};
SocketPeer PeerOfSocket(const OsHandle& socket);

// Asks the kernel to attach, or no longer, the sender's credentials to what `socket` receives.
void ReceiveCredentials(const OsHandle& socket, bool on);

// The token of the process that wrote a message, from its SCM_CREDENTIALS and, if valid, pidfd.
Token WriterToken(const ucred& credentials, OsHandle process);

}  // namespace lwmsg::internal
