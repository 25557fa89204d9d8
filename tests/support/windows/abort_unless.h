#pragma once

#include <windows.h>

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace lwmsg::test {

// Without these words a program that ends here looks like one that was lost.
inline void AbortUnless(bool done, std::source_location where = std::source_location::current()) {
  if (done) return;
  std::fprintf(stderr, "%s:%u: error %lu\n", where.file_name(), static_cast<unsigned>(where.line()),
               GetLastError());
  std::abort();
}

}  // namespace lwmsg::test
