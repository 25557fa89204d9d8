#pragma once

#include <lwmsg/lwmsg.h>
#include <sys/types.h>

#include <string>

struct Identity {
  uid_t uid;
  gid_t gid;
};

// A user by name or number. One that the system does not know by name gets the group of the same
// number. Error: kNotFound.
lwmsg::Result<Identity> FindUser(const std::string& name_or_number);

// Makes this process, which must have one thread, `identity` for good: user, group, no other
// groups, no gain by exec. OK only after looking whether the kernel did all of it and whether there
// is a way back; otherwise this process must not go on.
lwmsg::Status DropPrivileges(const Identity& identity);
