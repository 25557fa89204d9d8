#pragma once

#include <algorithm>
#include <chrono>

#include "lwmsg/executor.h"

namespace lwmsg::internal {

// Whether to look again and again for what may come soon, before sleeping until it does. To wake a
// sleeper costs more than a short call does; a look that finds nothing costs processor time. So it
// learns: after each look that was in vain twice as many sleeps go without one, up to a bound.
class AdaptiveWait {
 public:
  // How long one look may take. Zero: there are none.
  void set_longest(std::chrono::microseconds longest) { longest_ = longest; }
  std::chrono::microseconds longest() const { return longest_; }

  // This side is about to sleep: whether to look, from `now` on.
  bool Begin(TimePoint now) {
    if (longest_ <= longest_.zero()) return false;
    if (skip_ != 0) {
      --skip_;
      return false;
    }
    until_ = now + longest_;
    return true;
  }
  bool IsOver(TimePoint now) const { return now >= until_; }
  void Found() { in_vain_ = 0; }
  void Missed() {
    skip_ = 1U << in_vain_;
    in_vain_ = std::min(in_vain_ + 1, kMostDoublings);
  }

 private:
  // At most a look in 65 sleeps is in vain.
  static constexpr unsigned kMostDoublings = 6;

  std::chrono::microseconds longest_{20};
  TimePoint until_;
  unsigned skip_ = 0;  // Sleeps without a look.
  unsigned in_vain_ = 0;
};

}  // namespace lwmsg::internal
