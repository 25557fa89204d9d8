#include "runtime/peer_policy.h"

#include <algorithm>

namespace lwmsg::internal {
namespace {

constexpr uint32_t kMediumIntegrity = 0x2000;
constexpr uint32_t kOwnerMayWrite = 0200;
constexpr uint32_t kGroupMayWrite = 0020;
constexpr uint32_t kOthersMayWrite = 0002;

Status Refuse(std::string reason) {
  return Status(StatusCode::kPermissionDenied, std::move(reason));
}

std::string Pid(const std::optional<uint32_t>& pid) {
  return pid ? std::to_string(*pid) : "unknown";
}

bool InGroup(const Token& token, std::string_view sid) {
  const auto& groups = token.group_sids();
  return groups && std::find(groups->begin(), groups->end(), sid) != groups->end();
}

std::string Hex(uint32_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (; number != 0 || text.empty(); number /= 16) text.insert(0, 1, kDigits[number % 16]);
  return "0x" + text;
}

std::string Octal(uint32_t mode) {
  std::string text;
  for (; mode != 0; mode /= 8) text.insert(0, 1, static_cast<char>('0' + mode % 8));
  return "0" + text;
}

// Why the token is that of a sandbox, or might be; empty if it is not.
std::string WhySandboxed(const Token& token, const OwnFacts& own) {
  if (!token.app_container()) return "it is not known whether it is in an app container";
  if (*token.app_container()) return "it is in an app container";
  if (!token.integrity()) return "its integrity level is not known";
  const uint32_t least = LeastIntegrity(own);
  if (*token.integrity() >= least) return {};
  return "its integrity level is " + Hex(*token.integrity()) + ", below " + Hex(least);
}

bool IsAllowedByName(const Token& token, const Policy& policy) {
  if ((policy.mode & kOwnerMayWrite) != 0 && token.sid() == policy.owner_sid) return true;
  return (policy.mode & kGroupMayWrite) != 0 && !policy.group_sid.empty() &&
         InGroup(token, policy.group_sid);
}

std::string WhoMayConnect(const Policy& policy) {
  std::string who = "SYSTEM";
  if ((policy.mode & kOwnerMayWrite) != 0) who += ", the owner " + policy.owner_sid;
  if ((policy.mode & kGroupMayWrite) != 0 && !policy.group_sid.empty()) {
    who += ", members of " + policy.group_sid;
  }
  return who;
}

// The owner of a pipe that nobody but SYSTEM and administrators can make.
bool IsPrivilegedOwner(const std::string& sid) {
  return sid == kSystemSid || sid == kAdministratorsSid;
}

std::string WhatToDo(const ServerPolicy& policy) {
  return policy.server_euid
             ? ", not the wanted user " + std::to_string(*policy.server_euid) +
                   ", ClientOptions::server_euid"
             : "; if it is meant, name its user in ClientOptions::server_euid, or set any_server";
}

Status CheckWantedServer(const Token& token, const std::string& owner, const ServerPolicy& policy) {
  const bool owner_is_wanted = UnixIdOf(owner, policy.domains) == policy.server_euid;
  if (!owner_is_wanted && !IsPrivilegedOwner(owner)) {
    return Refuse("the pipe belongs to " + owner + WhatToDo(policy));
  }
  if (token.sid()) {
    if (UnixIdOf(*token.sid(), policy.domains) == policy.server_euid) return Status();
    return Refuse("the server's user is " + *token.sid() + WhatToDo(policy));
  }
  if (owner_is_wanted) return Status();
  return Refuse("the server's user is not known, only that the pipe belongs to " + owner +
                WhatToDo(policy));
}

Status CheckTrustedServer(const Token& token, const std::string& owner,
                          const ServerPolicy& policy) {
  if (owner != policy.own.sid && !IsPrivilegedOwner(owner)) {
    return Refuse("the pipe belongs to " + owner +
                  ", which is neither this user, SYSTEM nor Administrators" + WhatToDo(policy));
  }
  if (!token.sid()) {
    if (IsPrivilegedOwner(owner)) return Status();
    return Refuse("the server's process is not known, although the pipe belongs to this user" +
                  WhatToDo(policy));
  }
  if (*token.sid() == policy.own.sid || *token.sid() == kSystemSid ||
      InGroup(token, kAdministratorsSid)) {
    return Status();
  }
  return Refuse("the server's user is " + *token.sid() +
                ", which is neither this user, SYSTEM nor an elevated administrator" +
                WhatToDo(policy));
}

}  // namespace

uint32_t LeastIntegrity(const OwnFacts& own) { return std::min(own.integrity, kMediumIntegrity); }

Status CheckSameProcess(const PeerFacts& peer) {
  if (peer.remote) {
    return Refuse("the peer is on another machine; only local ones can be identified");
  }
  // 0 is the idle process, which opens nothing: the pipe does not know.
  if (!peer.pid_before || *peer.pid_before == 0 || peer.pid_before != peer.pid_after) {
    return Refuse("the pipe named process " + Pid(peer.pid_before) + ", then process " +
                  Pid(peer.pid_after) + "; the peer must connect again");
  }
  // The process could not be opened: what was learnt is nothing, and not another's.
  if (!peer.created_before && !peer.created_after && !peer.token.sid()) return Status();
  const std::string name = "process " + Pid(peer.pid_before);
  if (peer.token.pid() != peer.pid_before) {
    return Refuse(name + " connected, but process " + Pid(peer.token.pid()) +
                  " was looked at; the peer must connect again");
  }
  if (!peer.created_before || peer.created_before != peer.created_after) {
    return Refuse(name + " is not the one that it was a moment ago: its time of creation differs");
  }
  if (peer.connected && *peer.created_before > *peer.connected) {
    return Refuse(name +
                  " began after the connection: the one that connected has ended, and its "
                  "number was given away");
  }
  if (!peer.alive) {
    return Status(StatusCode::kUnavailable, name + " ended while it was asked who it is");
  }
  return Status();
}

Status MayConnect(const PeerFacts& peer, const Policy& policy) {
  if (Status status = CheckSameProcess(peer); !status.ok()) return status;
  const Token& token = peer.token;
  if ((policy.mode & kOthersMayWrite) != 0) return Status();
  const std::string change = "; ListenOptions::mode " + Octal(policy.mode) + " lets in " +
                             WhoMayConnect(policy) + ", 0666 would let in everybody";
  if (!token.sid()) {
    return Refuse("the user of process " + Pid(peer.pid_before) + " is not known" + change);
  }
  if (const std::string reason = WhySandboxed(token, policy.own); !reason.empty()) {
    return Refuse("process " + Pid(token.pid()) + " of " + *token.sid() +
                  " may not connect: " + reason + change);
  }
  if (token.sid() == kSystemSid || IsAllowedByName(token, policy)) return Status();
  return Refuse("user " + *token.sid() + " may not connect" + change);
}

Status MayServe(const PeerFacts& server, const std::optional<std::string>& owner_sid,
                const ServerPolicy& policy) {
  if (Status status = CheckSameProcess(server); !status.ok()) return status;
  if (policy.any_server && !policy.server_euid) return Status();
  if (!owner_sid) return Refuse("it is not known to whom the pipe belongs");
  const Token& token = server.token;
  if (token.sid()) {
    if (const std::string reason = WhySandboxed(token, policy.own); !reason.empty()) {
      return Refuse("process " + Pid(token.pid()) + " may not serve: " + reason);
    }
  }
  return policy.server_euid ? CheckWantedServer(token, *owner_sid, policy)
                            : CheckTrustedServer(token, *owner_sid, policy);
}

}  // namespace lwmsg::internal
