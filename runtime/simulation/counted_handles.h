#pragma once

#include <cstddef>
#include <vector>

#include "lwmsg/os_handle.h"

namespace lwmsg::internal {

// Open files that know whether somebody still has them: ends of pipes whose other ends are here.
class CountedHandles {
 public:
  OsHandle Make();
  // Which it is, counted from 1 in the order in which they were made; 0 if it is none of them.
  size_t NumberOf(const OsHandle& handle);
  // The first that is still open; 0 if none is.
  size_t FirstOpen();

 private:
  std::vector<OsHandle> readers_;
};

}  // namespace lwmsg::internal
