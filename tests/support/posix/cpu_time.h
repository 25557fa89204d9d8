#pragma once

#include <chrono>

#include "lwmsg/loop.h"

namespace lwmsg::test {

// How much of the processor this thread takes to run the loop for so long.
std::chrono::nanoseconds CpuTimeOf(Loop& loop, std::chrono::milliseconds time);

}  // namespace lwmsg::test
