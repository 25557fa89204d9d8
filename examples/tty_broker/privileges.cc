#include "privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace {

using lwmsg::Status;
using lwmsg::StatusCode;

Status Failed(const std::string& what) {
  return Status(StatusCode::kInternal, "cannot " + what + ": " + std::strerror(errno));
}

Status CheckDropped(const Identity& identity) {
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  if (getresuid(&real, &effective, &saved) != 0) return Failed("read the users");
  bool dropped = real == identity.uid && effective == identity.uid && saved == identity.uid;
  gid_t real_group = 0;
  gid_t effective_group = 0;
  gid_t saved_group = 0;
  if (getresgid(&real_group, &effective_group, &saved_group) != 0) return Failed("read the groups");
  dropped = dropped && real_group == identity.gid && effective_group == identity.gid &&
            saved_group == identity.gid;
  dropped = dropped && getgroups(0, nullptr) == 0;
  if (!dropped) return Status(StatusCode::kInternal, "not all users and groups were dropped");
  if (setuid(0) == 0 || setgid(0) == 0) {
    return Status(StatusCode::kInternal, "this process can become root again");
  }
  return Status();
}

}  // namespace

lwmsg::Result<Identity> FindUser(const std::string& name_or_number) {
  uid_t number = 0;
  const char* const end = name_or_number.data() + name_or_number.size();
  const auto parsed = std::from_chars(name_or_number.data(), end, number);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == end;
  const passwd* entry = is_number ? getpwuid(number) : getpwnam(name_or_number.c_str());
  if (entry != nullptr) return Identity{entry->pw_uid, entry->pw_gid};
  if (is_number) return Identity{number, number};
  return lwmsg::Error(StatusCode::kNotFound, "no user " + name_or_number);
}

lwmsg::Status DropPrivileges(const Identity& identity) {
  if (identity.uid == 0 || identity.gid == 0) {
    return Status(StatusCode::kInvalidArgument, "root is nobody to drop privileges to");
  }
  // Groups first: only root may set them.
  if (setgroups(0, nullptr) != 0) return Failed("drop the groups");
  if (setresgid(identity.gid, identity.gid, identity.gid) != 0) return Failed("set the group");
  if (setresuid(identity.uid, identity.uid, identity.uid) != 0) return Failed("set the user");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Failed("renounce gains by exec");
  return CheckDropped(identity);
}
