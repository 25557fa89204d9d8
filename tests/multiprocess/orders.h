#pragma once

#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <sstream>
#include <string>

#include "lwmsg/loop.h"
#include "runtime/uv_loop.h"

namespace lwmsg::test {

// Calls `told` with each line of a descriptor; stops the loop at its end.
class Orders {
 public:
  Orders(Loop& loop, int from, std::function<void(const std::string&)> told)
      : loop_(loop), from_(from), told_(std::move(told)) {
    watch_ = *loop.impl().MakeWatch(from, [this](auto) { Read(); });
    watch_->Want({true, false});
  }

 private:
  void Read() {
    std::array<char, 256> buffer{};
    const ssize_t size = read(from_, buffer.data(), buffer.size());
    if (size <= 0) {
      watch_->Want({false, false});
      return loop_.Stop();
    }
    std::istringstream lines(std::string(buffer.data(), static_cast<size_t>(size)));
    for (std::string line; std::getline(lines, line);) told_(line);
  }

  Loop& loop_;
  int from_;
  std::function<void(const std::string&)> told_;
  std::unique_ptr<internal::IoLoop::Watch> watch_;
};

}  // namespace lwmsg::test
