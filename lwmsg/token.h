#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "lwmsg/os_handle.h"

namespace lwmsg {

// What the kernel told about a peer. The fields are what a platform could tell; the rest is empty.
struct TokenFacts {
  std::optional<uint32_t> euid;
  std::optional<uint32_t> egid;
  std::optional<uint32_t> pid;
  std::optional<std::vector<uint32_t>> groups;
  std::optional<std::string> label;
  std::optional<std::string> sid;
  std::optional<std::vector<std::string>> group_sids;
  std::optional<uint32_t> integrity;
  std::optional<bool> elevated;
  std::optional<uint32_t> logon_session;
  std::optional<bool> app_container;
  OsHandle process;
};

// Who the peer is, as the kernel reported or checked it. A field that the kernel could not tell is
// empty, and an empty field equals no number: `token.euid() == 0u` is false for an unknown user. An
// immutable value, cheap to copy, usable on any thread.
//
// On an accepted LOCAL connection it is the process that connected, at that moment (SO_PEERCRED,
// unix(7)). On a PAIR, and for the server as its client sees it, it is the process that wrote the
// hello (SCM_CREDENTIALS, unix(7)), as a socket's creator need not be the process at its end. There
// the kernel lets a process name any of its real, effective and saved ids, and root any at all.
//
// On Windows it is the process that opened the pipe, or serves it, with the access token that it
// has then. The numbers are those that Cygwin gives to the accounts (Cygwin User's Guide, "POSIX
// accounts, permission, and security"): an account of the machine is 0x30000 and its RID. Not every
// account has one; the SID is the identity.
class Token {
 public:
  // Nothing known. Takes no memory.
  Token() = default;
  explicit Token(TokenFacts facts);

  // Effective user and group, in the reader's user namespace. Empty for a user without a number
  // there.
  std::optional<uint32_t> euid() const { return known().euid; }
  std::optional<uint32_t> egid() const { return known().egid; }
  // In the reader's pid namespace. Empty for a process outside it.
  std::optional<uint32_t> pid() const { return known().pid; }
  // Supplementary groups, without egid unless the kernel lists it. Unknown on a PAIR.
  const std::optional<std::vector<uint32_t>>& groups() const { return known().groups; }
  // Security label (SELinux, AppArmor), where one is in force.
  const std::optional<std::string>& label() const { return rare().label; }
  // A pidfd (pidfd_open(2)) that stays this very process when the pid is reused; not valid where
  // the kernel has none (before Linux 6.5). On Windows a handle of the process that can be waited
  // for and asked (SYNCHRONIZE, PROCESS_QUERY_LIMITED_INFORMATION), and nothing else. Either
  // becomes readable, or signalled, when the process ends. Owned by the token.
  const OsHandle& process() const { return known().process; }

  // What follows is empty elsewhere than on Windows.

  // The user's security identifier as text: "S-1-5-21-1-2-3-1000", "S-1-5-18" for SYSTEM.
  const std::optional<std::string>& sid() const { return rare().sid; }
  // The groups that grant access: not those that are switched off, or that only deny, as
  // Administrators is for an administrator who is not elevated.
  const std::optional<std::vector<std::string>>& group_sids() const { return rare().group_sids; }
  // The integrity level's RID: 0 untrusted, 0x1000 low, 0x2000 medium, 0x3000 high, 0x4000 system.
  std::optional<uint32_t> integrity() const { return rare().integrity; }
  // Has the full token of an administrator (User Account Control).
  std::optional<bool> elevated() const { return rare().elevated; }
  // The number of the terminal services session: 0 for services, others for desktops.
  std::optional<uint32_t> logon_session() const { return rare().logon_session; }
  // Is in the sandbox of a packaged app.
  std::optional<bool> app_container() const { return rare().app_container; }

  // True if egid or a supplementary group is `gid`; false also if they are unknown.
  bool InGroup(uint32_t gid) const;
  // "euid=1000 egid=1000 pid=4242 groups=4,24", with "unknown" for what is; the rest if it is
  // known.
  std::string ToString() const;

 private:
  // What few systems tell.
  struct Rare {
    std::optional<std::string> label;
    std::optional<std::string> sid;
    std::optional<std::vector<std::string>> group_sids;
    std::optional<uint32_t> integrity;
    std::optional<bool> elevated;
    std::optional<uint32_t> logon_session;
    std::optional<bool> app_container;
  };
  // A server keeps one of these for each of its peers.
  struct Known {
    std::optional<uint32_t> euid;
    std::optional<uint32_t> egid;
    std::optional<uint32_t> pid;
    OsHandle process;
    std::optional<std::vector<uint32_t>> groups;
    std::unique_ptr<const Rare> rare;
  };
  static const Known kNobody;
  static const Rare kNothingRare;

  const Known& known() const { return known_ ? *known_ : kNobody; }
  const Rare& rare() const { return known().rare ? *known().rare : kNothingRare; }

  std::shared_ptr<const Known> known_;  // Null: nothing is.
};

std::ostream& operator<<(std::ostream& out, const Token& token);

}  // namespace lwmsg
