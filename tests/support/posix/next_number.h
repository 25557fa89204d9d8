#pragma once

#include <sys/types.h>

#include <fstream>

namespace lwmsg::test {

// Decides which number the next process of this pid namespace gets, if that is free (pid(7),
// CAP_CHECKPOINT_RESTORE). False if it may not.
inline bool ChooseNextNumber(pid_t number) {
  std::ofstream last("/proc/sys/kernel/ns_last_pid");
  last << number - 1 << std::flush;
  return last.good();
}

}  // namespace lwmsg::test
