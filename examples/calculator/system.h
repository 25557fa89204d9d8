#pragma once

#include <lwmsg/lwmsg.h>

// What each system does in its own way: posix/ and windows/.

// Whether `caller` is the user as whom this process runs.
bool IsOwnUser(const lwmsg::Token& caller);
// For reading; owns nothing if there is no such file.
lwmsg::OsHandle OpenToRead(const char* path);
// Copies what `file` holds to standard output.
bool Print(const lwmsg::OsHandle& file);
