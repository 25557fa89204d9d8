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
class Token {
 public:
  // Nothing known.
  Token();
  explicit Token(TokenFacts facts);

  // Effective user and group, in the reader's user namespace. Empty for a user without a number
  // there.
  std::optional<uint32_t> euid() const { return facts_->euid; }
  std::optional<uint32_t> egid() const { return facts_->egid; }
  // In the reader's pid namespace. Empty for a process outside it.
  std::optional<uint32_t> pid() const { return facts_->pid; }
  // Supplementary groups, without egid unless the kernel lists it. Unknown on a PAIR.
  const std::optional<std::vector<uint32_t>>& groups() const { return facts_->groups; }
  // Security label (SELinux, AppArmor), where one is in force.
  const std::optional<std::string>& label() const { return facts_->label; }
  // A pidfd (pidfd_open(2)) that stays this very process when the pid is reused; not valid where
  // the kernel has none (before Linux 6.5). Owned by the token.
  const OsHandle& process() const { return facts_->process; }

  // True if egid or a supplementary group is `gid`; false also if they are unknown.
  bool InGroup(uint32_t gid) const;
  // "euid=1000 egid=1000 pid=4242 groups=4,24", with "unknown" for what is.
  std::string ToString() const;

 private:
  std::shared_ptr<const TokenFacts> facts_;
};

std::ostream& operator<<(std::ostream& out, const Token& token);

}  // namespace lwmsg
