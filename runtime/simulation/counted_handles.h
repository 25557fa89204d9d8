#pragma once

#include <cstddef>
#include <vector>

#include "lwmsg/os_handle.h"

namespace lwmsg::internal {

// Open files of which is known whether somebody still has them.
class CountedHandles {
 public:
  OsHandle Make();
  // Which it is, counted from 1 in the order in which they were made; 0 if it is none of them.
  size_t NumberOf(const OsHandle& handle);
  // The first that is still open; 0 if none is.
  size_t FirstOpen();

 private:
  // The number of the first of which `is` holds; 0 if there is none.
  template <typename Is>
  size_t First(Is is);

  std::vector<OsHandle> watches_;
};

}  // namespace lwmsg::internal
