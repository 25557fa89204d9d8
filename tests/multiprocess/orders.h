#pragma once

#include <functional>
#include <iostream>
#include <string>
#include <thread>

#include "lwmsg/loop.h"

namespace lwmsg::test {

// Calls `told` on the loop with each line of standard input; stops the loop at its end, and waits
// for that before it goes.
class Orders {
 public:
  Orders(Loop& loop, std::function<void(const std::string&)> told)
      : loop_(loop), told_(std::move(told)), reader_([this] { Read(); }) {}
  Orders(const Orders&) = delete;
  Orders& operator=(const Orders&) = delete;
  ~Orders() { reader_.join(); }

 private:
  void Read() {
    for (std::string line; std::getline(std::cin, line);) {
      loop_.Post([this, line] { told_(line); });
    }
    loop_.Post([this] { loop_.Stop(); });
  }

  Loop& loop_;
  std::function<void(const std::string&)> told_;
  std::thread reader_;
};

}  // namespace lwmsg::test
