#pragma once

#include "lwmsg/os_handle.h"

// A pipe whose writing end can be told apart, and whose reading end knows when the other is closed.
// Part of lwmsg::simulation, in each platform's folder. An error of the system ends the program.
namespace lwmsg::internal {

struct MarkedPipe {
  OsHandle reader;
  OsHandle writer;
};
MarkedPipe MakeMarkedPipe();

// Writes something for TakeMarks; false if `writer` cannot be written to.
bool WriteMark(const OsHandle& writer);

// kEnd: nobody can write any more, and there is nothing.
enum class Marks { kNone, kSome, kEnd };
Marks TakeMarks(const OsHandle& reader);

}  // namespace lwmsg::internal
