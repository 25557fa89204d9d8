#pragma once

#include <cstdint>

namespace lwmsg::internal {

// Which call of one direction of an association. Its id on the wire may come again once it has
// ended, its serial number does not: what is kept of an old call does nothing to a new one.
struct CallKey {
  uint32_t id = 0;
  uint64_t serial = 0;
  bool operator==(const CallKey&) const = default;
};

}  // namespace lwmsg::internal
