#pragma once

#include <capnp/common.h>
#include <kj/array.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace lwmsg::fuzz {

// The bytes as a message's words; what is missing of the last one is 0.
inline kj::Array<capnp::word> WordsOf(std::span<const uint8_t> bytes) {
  auto words = kj::heapArray<capnp::word>((bytes.size() + 7) / 8);
  auto to = words.asBytes();
  std::fill(std::copy(bytes.begin(), bytes.end(), to.begin()), to.end(), uint8_t{0});
  return words;
}

}  // namespace lwmsg::fuzz
