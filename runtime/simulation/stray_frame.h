#pragma once

#include <string>

#include "lwmsg/service.h"
#include "runtime/simulation/random.h"

namespace lwmsg::internal {

// What a peer could send that is not honest: a frame of any kind, whole or broken, or just bytes.
// Some are calls of `services`.
std::string StrayFrame(SeededRandom& random, const ServiceTable& services);

}  // namespace lwmsg::internal
