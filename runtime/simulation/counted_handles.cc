#include "runtime/simulation/counted_handles.h"

#include <algorithm>
#include <utility>

#include "runtime/counted_file.h"

namespace lwmsg::internal {

template <typename Is>
size_t CountedHandles::First(Is is) {
  const auto found = std::ranges::find_if(watches_, is);
  return found == watches_.end() ? 0 : static_cast<size_t>(found - watches_.begin()) + 1;
}

OsHandle CountedHandles::Make() {
  CountedFile made = MakeCountedFile();
  watches_.push_back(std::move(made.watch));
  return std::move(made.file);
}

size_t CountedHandles::NumberOf(const OsHandle& handle) {
  return First([&handle](const OsHandle& watch) { return IsFileOf(watch, handle); });
}

size_t CountedHandles::FirstOpen() { return First(IsFileOpen); }

}  // namespace lwmsg::internal
