#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lwmsg/fuzz/finding.h"
#include "lwmsg/fuzz/handles.h"
#include "lwmsg/fuzz/input.h"

// What each fuzzer defines: one run over one input. What does not hold ends the program.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace lwmsg::test {

using fuzz::Input;
using fuzz::Require;

// At its end the open files must be those of its beginning.
class SameHandles {
 public:
  SameHandles() = default;
  SameHandles(const SameHandles&) = delete;
  SameHandles& operator=(const SameHandles&) = delete;
  ~SameHandles() { Require(fuzz::OpenNumbers() == before_, "no OS handle is left open"); }

 private:
  std::vector<bool> before_ = fuzz::OpenNumbers();
};

}  // namespace lwmsg::test
