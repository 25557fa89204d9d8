#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace lwmsg::test {

// What calls one after the other came to.
struct Load {
  uint64_t calls = 0;
  uint64_t failed = 0;
  double seconds = 0;
  double p99_us = 0;

  double rate() const { return seconds == 0 ? 0 : static_cast<double>(calls) / seconds; }
  std::string ToLine() const;
  static Load FromLine(const std::string& line);
};

// Small calls of one client, each when the one before is answered, for so long.
Load CallFor(const std::string& endpoint, std::chrono::milliseconds time);
// The same in a process of its own, as the victim of attacks.
Load CallAsVictim(const std::string& endpoint, std::chrono::milliseconds time);

}  // namespace lwmsg::test
