#include "runtime/simulation/counted_handles.h"

#include <utility>

#include "runtime/marked_pipe.h"

namespace lwmsg::internal {

OsHandle CountedHandles::Make() {
  MarkedPipe pipe = MakeMarkedPipe();
  readers_.push_back(std::move(pipe.reader));
  return std::move(pipe.writer);
}

size_t CountedHandles::NumberOf(const OsHandle& handle) {
  if (!WriteMark(handle)) return 0;
  for (size_t i = 0; i < readers_.size(); ++i) {
    if (TakeMarks(readers_[i]) == Marks::kSome) return i + 1;
  }
  return 0;
}

size_t CountedHandles::FirstOpen() {
  for (size_t i = 0; i < readers_.size(); ++i) {
    if (TakeMarks(readers_[i]) != Marks::kEnd) return i + 1;
  }
  return 0;
}

}  // namespace lwmsg::internal
