#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <string>

#include "lwmsg/endpoint.h"
#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"

namespace lwmsg::internal {

// What errno says, as a Status: `what` failed, with the system's words and its code for the caller.
Status ErrnoStatus(const std::string& what, int error);

// A Unix address as the system calls take it.
struct SocketAddress {
  sockaddr_un address{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

// Error: kInvalidArgument if the name is too long for sockaddr_un; it is never cut.
Result<SocketAddress> ToSocketAddress(const Endpoint& endpoint);

// Error: kUnimplemented for a kind of endpoint that is not on Unix.
Status CheckKind(const Endpoint& endpoint);

// A new Unix stream socket, non-blocking and close-on-exec.
Result<OsHandle> NewSocket();

// Why nobody can be reached at `endpoint`, from connect(2)'s errno or that of a look at its path.
Status CannotConnect(const Endpoint& endpoint, int error);

// One attempt to connect. False: the server's backlog is full, try again later on the same socket
// (connect(2) gives EAGAIN for Unix sockets, which is not "in progress").
Result<bool> ConnectOnce(const OsHandle& socket, const Endpoint& endpoint);

// Error: kInvalidArgument unless it is a Unix stream socket that listens, or does not.
Status CheckSocket(const OsHandle& socket, bool listening);

// Where a listening socket listens, as an endpoint's text.
std::string NameOf(const OsHandle& socket);

// Whether peers may send descriptors to `socket`'s reader. False if the kernel cannot say no
// (before Linux 6.16).
bool SetPassRights(const OsHandle& socket, bool passes);
bool PassesRights(const OsHandle& socket);
// Whether what `socket` receives has its writer's credentials with it, and what several wrote stays
// apart. Accepted sockets have what the listening one has when they connect.
void SetPassCredentials(const OsHandle& socket, bool passes);

Status SetNonBlocking(const OsHandle& socket);
// Of a socket of NewSocket: reads wait, for at most `longest`. False if the system refuses.
bool SetBlocking(const OsHandle& socket, std::chrono::milliseconds longest);

}  // namespace lwmsg::internal
