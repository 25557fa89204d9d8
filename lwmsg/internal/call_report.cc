#include "lwmsg/internal/call_report.h"

#include <utility>

namespace lwmsg {
namespace {

std::string Describe(const CallInfo& call) {
  return std::string(call.direction == CallDirection::kIncoming ? "incoming " : "outgoing ") +
         call.name() + ", id " + std::to_string(call.id) + ", peer " + call.peer.ToString();
}

}  // namespace

std::string CallInfo::name() const {
  if (protocol == nullptr) {
    return "interface " + std::to_string(interface_id) + " method " + std::to_string(method);
  }
  if (method < protocol->methods.size()) return MethodName(*protocol, protocol->methods[method]);
  return std::string(protocol->name) + " method " + std::to_string(method);
}

internal::CallReport::CallReport(const Executor& executor, std::shared_ptr<CallWatcher> watcher,
                                 Log log, CallInfo call)
    : executor_(executor),
      watcher_(std::move(watcher)),
      log_(std::move(log)),
      call_(std::move(call)),
      started_(executor.Now()) {
  log_.Write(LogLevel::kTrace, [this] { return "call begins: " + Describe(call_); });
  if (watcher_) watcher_->OnBegin(call_);
}

void internal::CallReport::End(const Status& status) {
  const auto duration =
      std::chrono::duration_cast<std::chrono::nanoseconds>(executor_.Now() - started_);
  log_.Write(LogLevel::kTrace, [&] {
    return "call ends: " + Describe(call_) + ", " + std::to_string(duration.count() / 1000) +
           " us: " + status.ToString();
  });
  if (watcher_) watcher_->OnEnd(call_, status, duration);
}

}  // namespace lwmsg
