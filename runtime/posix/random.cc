#include "lwmsg/internal/random.h"

#include <sys/random.h>
#include <unistd.h>

#include <cstdlib>

namespace lwmsg::internal {

// Not std::random_device, which may ask the processor: in a virtual machine that took a hundred
// times as long.
void FillRandom(std::span<std::byte> to) {
  // Fails only where the kernel has no such call (getentropy(3); before Linux 3.17).
  if (getentropy(to.data(), to.size()) != 0) std::abort();
}

}  // namespace lwmsg::internal
