#pragma once

#include <cstdio>
#include <cstdlib>

namespace lwmsg::fuzz {

// Ends the program, which a fuzzer takes for a finding, unless `good`. `rule` says what does not
// hold.
inline void Require(bool good, const char* rule) {
  if (good) return;
  std::fprintf(stderr, "lwmsg::fuzz: broken: %s\n", rule);
  std::abort();
}

}  // namespace lwmsg::fuzz
