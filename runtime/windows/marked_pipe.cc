#include "runtime/marked_pipe.h"

#include <windows.h>

#include <array>
#include <cstdlib>

namespace lwmsg::internal {

MarkedPipe MakeMarkedPipe() {
  HANDLE reader = nullptr;
  HANDLE writer = nullptr;
  if (CreatePipe(&reader, &writer, nullptr, 0) == 0) std::abort();
  return {OsHandle(reader), OsHandle(writer)};
}

bool WriteMark(const OsHandle& writer) {
  DWORD size = 0;
  return WriteFile(writer.get(), "", 1, &size, nullptr) != 0 && size == 1;
}

Marks TakeMarks(const OsHandle& reader) {
  DWORD there = 0;
  if (PeekNamedPipe(reader.get(), nullptr, 0, nullptr, &there, nullptr) == 0) return Marks::kEnd;
  if (there == 0) return Marks::kNone;
  std::array<char, 64> marks;
  DWORD size = 0;
  ReadFile(reader.get(), marks.data(), static_cast<DWORD>(marks.size()), &size, nullptr);
  return Marks::kSome;
}

}  // namespace lwmsg::internal
