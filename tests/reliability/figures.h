#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace lwmsg::test {

// What /proc says of another process; 0 if it is not there.

size_t ResidentKib(pid_t process);
// At most so far.
size_t PeakResidentKib(pid_t process);
size_t Descriptors(pid_t process);
// Of these, those that are processes (pidfds).
size_t ProcessDescriptors(pid_t process);

// How many descriptors this process, and so each child, may open.
size_t MostDescriptors();

// Looks again and again; false if it is not so after that time.
bool Await(const std::function<bool()>& done,
           std::chrono::milliseconds longest = std::chrono::seconds(20));

// The value that 99 of a hundred are not above; 0 of none.
double P99(std::vector<double> values);

inline double MillisecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

}  // namespace lwmsg::test
