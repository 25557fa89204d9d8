#pragma once

#include <cstddef>
#include <cstring>

namespace lwmsg::internal {

// Overwrites memory that held a secret. By way of a volatile pointer, as a compiler may remove a
// plain memset of memory that is freed next.
inline void SecureWipe(void* memory, size_t size) {
  static void* (*volatile const fill)(void*, int, size_t) = std::memset;
  if (size != 0) fill(memory, 0, size);
}

}  // namespace lwmsg::internal
