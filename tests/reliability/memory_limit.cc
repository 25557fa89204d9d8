#include "tests/reliability/memory_limit.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/system.h"

namespace lwmsg::test {

MemoryLimit::MemoryLimit(size_t bytes) : folder_("/sys/fs/cgroup/memory/" + NewName()) {
  if (mkdir(folder_.c_str(), 0755) != 0) return;
  works_ =
      static_cast<bool>(std::ofstream(folder_ + "/memory.limit_in_bytes") << bytes << std::flush);
}

MemoryLimit::~MemoryLimit() { rmdir(folder_.c_str()); }

void MemoryLimit::Enter() const {
  if (works_) std::ofstream(folder_ + "/cgroup.procs") << getpid() << std::flush;
}

}  // namespace lwmsg::test
