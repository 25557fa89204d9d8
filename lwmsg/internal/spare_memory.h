#pragma once

#include <new>
#include <string>
#include <string_view>

#include "lwmsg/function.h"
#include "lwmsg/status.h"

namespace lwmsg::internal {

// The reason of what ends for lack of memory. Needs none itself.
Status OutOfMemory();
// `status`, or its code alone; `text`, or nothing.
Status CopyIfMemory(const Status& status);
std::string TextIfMemory(std::string_view text);

// The process keeps some memory for what its loops cannot do without: tasks, timers, the ends of
// associations. Gives a part of it back to the allocator; false if none is left.
bool GiveSpareMemory();
// Takes what was given, as far as there is memory again. Each loop does it in each turn.
void RefillSpareMemory();

// Runs `function`, which does nothing if it throws, until there is memory for it. Throws
// std::bad_alloc when there is none and nothing is left to spare either.
template <typename Function>
auto Insist(Function function) {
  while (true) {
    try {
      return function();
    } catch (const std::bad_alloc&) {
      if (!GiveSpareMemory()) throw;
    }
  }
}

// A task for a loop that is made in spite of all.
template <typename Task>
UniqueFunction<void()> SureTask(Task task) {
  return Insist([&task] { return UniqueFunction<void()>(std::move(task)); });
}

// The Status that `make` makes, whose text may be long.
template <typename Make>
Status StatusIfMemory(Make make) {
  try {
    return make();
  } catch (const std::bad_alloc&) {
    return OutOfMemory();
  }
}

// Runs what may as well be left out, or whose user has been told in another way. False: there was
// no memory for it.
template <typename Function>
bool IfMemory(Function&& function) {
  try {
    function();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace lwmsg::internal
