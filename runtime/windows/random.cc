#include "lwmsg/internal/random.h"

#include <random>

namespace lwmsg::internal {

// Of the system in all of Windows's libraries: rand_s, RtlGenRandom.
void FillRandom(std::span<std::byte> to) {
  std::random_device random;
  for (std::byte& one : to) one = static_cast<std::byte>(random());
}

}  // namespace lwmsg::internal
