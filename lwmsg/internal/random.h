#pragma once

#include <cstddef>
#include <span>

namespace lwmsg::internal {

// Unpredictable bytes from the system. Each platform has one.
void FillRandom(std::span<std::byte> to);

}  // namespace lwmsg::internal
