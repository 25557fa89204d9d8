#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lwmsg/status.h"
#include "lwmsg/token.h"
#include "runtime/sid.h"

// Who may speak with whom over a named pipe of Windows, decided on facts alone. The system decides
// too, by the pipe's security descriptor (runtime/pipe_security.h); this is for what it cannot know
// and for what it might be tricked into. Nothing is granted on a fact that is missing.
namespace lwmsg::internal {

// What was seen of a peer when its process was opened.
struct PeerFacts {
  // sid(), group_sids(), integrity() and app_container() count; empty if the process could not be
  // opened, as that of a user with more rights.
  Token token;
  // Seen last, after all else was read.
  bool alive = false;
  // What the pipe names as its client or server, before the process was opened and after.
  std::optional<uint32_t> pid_before;
  std::optional<uint32_t> pid_after;
  // When the process began, read first and last; in units of 100 ns (FILETIME).
  std::optional<uint64_t> created_before;
  std::optional<uint64_t> created_after;
  // When the connection was there at the latest, in the same units.
  std::optional<uint64_t> connected;
  // It came over the network, where its pid means nothing.
  bool remote = false;
};

// This process, as its own token tells.
struct OwnFacts {
  std::string sid;
  uint32_t integrity = 0;
};

// Of an endpoint: ListenOptions, with accounts instead of names.
struct Policy {
  uint32_t mode = 0600;
  std::string owner_sid;
  std::string group_sid;  // Empty if none was named.
  OwnFacts own;
};

// The lowest integrity level of a peer that comes by its user or group: medium, or our own if that
// is lower. What is below is a sandbox, in which the user's name says little.
uint32_t LeastIntegrity(const OwnFacts& own);

// Whether the facts are of one process that lives and was there before the connection. A pid is
// given to another process as soon as its own has ended and nobody holds it open. Error:
// kUnavailable if it has ended, kPermissionDenied if it is another one, or remote.
Status CheckSameProcess(const PeerFacts& peer);

// Whether a client may connect. As on Unix it must be allowed to write: `mode` 0200 lets the owner
// in, 0020 the members of the group, 0002 everybody. SYSTEM comes in always, as root does;
// administrators do not, but they can become SYSTEM. Sandboxes (app containers, and what is below
// LeastIntegrity) and peers of whom nothing could be learnt come in with 0002 only. The first class
// that lets a peer in counts; unlike on Unix, none shuts it out. Error: kPermissionDenied or
// kUnavailable, with the fact that was against it and what to change.
Status MayConnect(const PeerFacts& peer, const Policy& policy);

// What a client wants of the server of a pipe.
struct ServerPolicy {
  // ClientOptions::server_euid. Empty: this user, SYSTEM, or an administrator's elevated process,
  // as anybody may take a name that is free.
  std::optional<uint32_t> server_euid;
  OwnFacts own;
  AccountDomains domains;
  // ClientOptions::any_server; what is above then counts only if server_euid is given.
  bool any_server = false;
};

// Whether a server is the wanted one. `owner_sid` is the owner of the pipe, without which no server
// is accepted: it cannot be forged, while the pid that a pipe names can be arranged by its
// maker. The process must agree with it, and may be unknown only if the owner alone
// is enough. Error: as for MayConnect.
Status MayServe(const PeerFacts& server, const std::optional<std::string>& owner_sid,
                const ServerPolicy& policy);

}  // namespace lwmsg::internal
