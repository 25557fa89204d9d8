#pragma once

#include <lwmsg/lwmsg.h>
#include <sys/stat.h>

#include <string>

// What may be done with a file, as the bits of its mode (chmod(2)).
constexpr unsigned kMayRead = 4;
constexpr unsigned kMayWrite = 2;
constexpr unsigned kMaySearch = 1;

// May `caller` do what the bits `wanted` say with a file of this owner and mode? The rules of
// path_resolution(7) for owner, group, others and root, by mode bits alone: access control lists
// and security labels are not looked at. What a token does not know matches nothing.
bool MayAccess(const lwmsg::Token& caller, const struct stat& file, unsigned wanted);

// OK, or kPermissionDenied with who was refused what, and the file's owner and mode.
lwmsg::Status CheckAccess(const lwmsg::Token& caller, const struct stat& file, unsigned wanted,
                          const std::string& path);
