#include "tests/support/posix/cpu_time.h"

#include <gtest/gtest.h>

#include <ctime>

#include "runtime/uv_loop.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {
namespace {

std::chrono::nanoseconds CpuTime() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace

std::chrono::nanoseconds CpuTimeOf(Loop& loop, std::chrono::milliseconds time) {
  bool over = false;
  Timer end(loop.impl(), [&over] { over = true; });
  end.ArmAfter(time);
  const auto before = CpuTime();
  EXPECT_TRUE(RunLoopUntil(loop, [&over] { return over; }));
  return CpuTime() - before;
}

}  // namespace lwmsg::test
