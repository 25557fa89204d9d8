#include "runtime/marked_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace lwmsg::internal {

MarkedPipe MakeMarkedPipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
  return {OsHandle(ends[0]), OsHandle(ends[1])};
}

bool WriteMark(const OsHandle& writer) { return write(writer.get(), "", 1) == 1; }

Marks TakeMarks(const OsHandle& reader) {
  std::array<char, 64> marks;
  const ssize_t size = read(reader.get(), marks.data(), marks.size());
  if (size == 0) return Marks::kEnd;
  return size > 0 ? Marks::kSome : Marks::kNone;
}

}  // namespace lwmsg::internal
