#pragma once

#include <lwmsg/lwmsg.h>

#include <string>

// OK if Windows would let `caller` have the access rights `wanted` (FILE_READ_DATA ...) to an open
// file or folder: its AccessCheck, over the security descriptor of the file and the token of the
// caller's process. kPermissionDenied with who was refused what and the file's owner, also for a
// caller whose process is unknown or gone.
lwmsg::Status CheckAccess(const lwmsg::Token& caller, const lwmsg::OsHandle& file,
                          unsigned long wanted, const std::string& what);
