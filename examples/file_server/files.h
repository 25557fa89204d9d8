#pragma once

#include <kj/common.h>
#include <lwmsg/lwmsg.h>

#include <cstdint>
#include <string>

// Open files as each system has them: posix/ and windows/. Errors say what failed, and why.

// For reading.
lwmsg::Result<lwmsg::OsHandle> OpenLocal(const std::string& path);
// For writing; it is made, or emptied.
lwmsg::Result<lwmsg::OsHandle> MakeLocal(const std::string& path);

// How many bytes were there; 0 at the end.
lwmsg::Result<size_t> ReadAt(const lwmsg::OsHandle& file, uint64_t offset,
                             kj::ArrayPtr<kj::byte> data);
// All of them.
lwmsg::Status WriteAt(const lwmsg::OsHandle& file, uint64_t offset,
                      kj::ArrayPtr<const kj::byte> data);
// The rest of `from`.
lwmsg::Status CopyRest(const lwmsg::OsHandle& from, const lwmsg::OsHandle& to);
// As they are, to standard output.
lwmsg::Status Print(kj::ArrayPtr<const kj::byte> data);
