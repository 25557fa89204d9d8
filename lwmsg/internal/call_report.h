#pragma once

#include <memory>

#include "lwmsg/call_watcher.h"
#include "lwmsg/executor.h"
#include "lwmsg/log.h"

namespace lwmsg::internal {

// Tells a watcher and the log of one call. Exists only if one of them wants to know.
class CallReport {
 public:
  // `executor` outlives it.
  CallReport(const Executor& executor, std::shared_ptr<CallWatcher> watcher, Log log,
             CallInfo call);

  // Once.
  void End(const Status& status);

 private:
  const Executor& executor_;
  const std::shared_ptr<CallWatcher> watcher_;
  const Log log_;
  const CallInfo call_;
  const TimePoint started_;
};

}  // namespace lwmsg::internal
