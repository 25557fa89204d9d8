#pragma once

#include <memory>

#include "lwmsg/function.h"
#include "lwmsg/loop.h"
#include "lwmsg/status.h"
#include "lwmsg/token.h"

namespace lwmsg {

// Waits for the end of a process, for as long as it lives. Made by WatchProcess, on whose loop it
// is used; goes before the Loop.
class ProcessWatch {
 public:
  ProcessWatch(ProcessWatch&& other) noexcept;
  ProcessWatch& operator=(ProcessWatch&& other) noexcept;
  ~ProcessWatch();

 private:
  class Impl;
  friend Result<ProcessWatch> WatchProcess(Loop& loop, const Token& token,
                                           UniqueFunction<void()> on_end);
  explicit ProcessWatch(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

// Calls `on_end` once, on `loop`, when the very process that `token` names has ended; soon, if it
// has already. That is another event than the end of its association: a process can hang up and
// live, and one that has ended may have left its connection to a child. `on_end` may destroy the
// watch. Keeps the loop running, and a descriptor open, until it goes. On the loop's thread. Error:
// kFailedPrecondition if the token has no process() (Token::process says when), kResourceExhausted
// without a descriptor,
// kInternal if the system refuses.
Result<ProcessWatch> WatchProcess(Loop& loop, const Token& token, UniqueFunction<void()> on_end);

}  // namespace lwmsg
