#include "access.h"

#include <cstdio>
#include <string_view>

namespace {

std::string Describe(const struct stat& file) {
  char mode[8];
  std::snprintf(mode, sizeof(mode), "%04o", file.st_mode & 07777U);
  return "owner " + std::to_string(file.st_uid) + ", group " + std::to_string(file.st_gid) +
         ", mode " + mode;
}

std::string_view Verb(unsigned wanted) {
  if (wanted == kMayRead) return "read";
  if (wanted == kMayWrite) return "write";
  return wanted == kMaySearch ? "look into" : "make files in";
}

}  // namespace

bool MayAccess(const lwmsg::Token& caller, const struct stat& file, unsigned wanted) {
  const auto grants = [&](unsigned bits) { return (bits & wanted) == wanted; };
  const unsigned group = file.st_mode >> 3;
  const unsigned others = file.st_mode;
  if (!caller.euid()) return false;
  if (caller.euid() == 0U) return true;
  if (caller.euid() == file.st_uid) return grants(file.st_mode >> 6);
  if (caller.InGroup(file.st_gid)) return grants(group);
  // A caller whose groups are unknown may be in this one, whose bits can be fewer than those of
  // others; it must not gain by being unknown.
  if (!caller.egid() || !caller.groups()) return grants(group & others);
  return grants(others);
}

lwmsg::Status CheckAccess(const lwmsg::Token& caller, const struct stat& file, unsigned wanted,
                          const std::string& path) {
  if (MayAccess(caller, file, wanted)) return lwmsg::Status();
  return lwmsg::Status(lwmsg::StatusCode::kPermissionDenied,
                       "caller " + caller.ToString() + " may not " + std::string(Verb(wanted)) +
                           " " + path + " (" + Describe(file) + ")");
}
