#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "tests/faults/shim.h"

namespace faults {

// What a process tells of itself, in memory that the runner sees, also when it was killed.
struct Report {
  Seen seen;
  std::atomic<uint32_t> started = 0;  // Calls.
  std::atomic<uint32_t> ended = 0;
  std::atomic<uint32_t> failed = 0;  // Of those that ended: with an error.
  std::atomic<uint32_t> wrong = 0;   // What must never be: a second end, a reply that is not right.
  std::atomic<bool> has_text = false;
  std::array<char, 240> text{};  // Of the first error, or of what is wrong.

  void Say(std::string_view what);
  void Wrong(std::string_view what);
};

// How a role's process ends.
enum Exit : int {
  kFine = 0,
  kRefused = 3,  // A server that could not begin, and said so.
  kLeaks = 4,    // Descriptors are left.
  kUncaught = 5,
};

}  // namespace faults
