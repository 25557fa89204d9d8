#pragma once

#include <cstdint>

// What a simulation needs of the rest so that it can do the same again. Each is for this thread.
namespace lwmsg::internal {

// The next number of a sequence that follows from its first state (SplitMix64).
inline uint64_t NextSeeded(uint64_t& state) {
  uint64_t number = state += 0x9e3779b97f4a7c15;
  number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
  number = (number ^ number >> 27) * 0x94d049bb133111eb;
  return number ^ number >> 31;
}

// From now on RandomId takes NextSeeded(*state); null: the system's numbers, as from the beginning.
// Returns what was set before.
uint64_t* SeedRandomIds(uint64_t* state);

// What MessageSizes knows.
void ForgetMessageSizes();

}  // namespace lwmsg::internal
