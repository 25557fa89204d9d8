#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace lwmsg::test {

// A memory cgroup, of version 1, for processes that enter it. Goes at the end, when they have.
class MemoryLimit {
 public:
  explicit MemoryLimit(size_t bytes);
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
  ~MemoryLimit();

  // False where this process may make none.
  bool works() const { return works_; }
  // The calling process does.
  void Enter() const;

 private:
  std::string folder_;
  bool works_ = false;
};

}  // namespace lwmsg::test
