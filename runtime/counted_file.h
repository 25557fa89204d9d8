#pragma once

#include "lwmsg/os_handle.h"

// An open file that can be told from all others, and of which is known whether somebody has it.
// Part of lwmsg::simulation, in each platform's folder. An error of the system ends the program.
namespace lwmsg::internal {

struct CountedFile {
  OsHandle file;
  // For the functions below. It does not keep `file` open.
  OsHandle watch;
};
CountedFile MakeCountedFile();

// Whether `handle` is the file of `watch`, or a copy of it. Does nothing to any file.
bool IsFileOf(const OsHandle& watch, const OsHandle& handle);
// Whether that file, or a copy of it, is open.
bool IsFileOpen(const OsHandle& watch);

}  // namespace lwmsg::internal
