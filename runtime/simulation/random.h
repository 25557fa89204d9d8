#pragma once

#include <cstdint>

#include "lwmsg/internal/repeatable.h"

namespace lwmsg::internal {

// Numbers that follow from a seed, the same on every system.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next() { return NextSeeded(state_); }
  // `count` is not 0.
  uint64_t Below(uint64_t count) { return Next() % count; }
  bool OneIn(uint64_t count) { return Below(count) == 0; }

 private:
  uint64_t state_;
};

}  // namespace lwmsg::internal
