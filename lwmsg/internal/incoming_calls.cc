#include "lwmsg/internal/incoming_calls.h"

#include <utility>

namespace lwmsg::internal {

void IncomingCalls::Waiters::Tell() {
  if (stop) stop->request_stop();
  if (on_cancel) on_cancel();
  if (on_credit) on_credit();
}

IncomingCalls::Call* IncomingCalls::Find(uint32_t id) {
  for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
    if (call->id == id) return &*call;
  }
  return nullptr;
}

bool IncomingCalls::Remove(uint32_t id) {
  Call* call = Find(id);
  if (call == nullptr) return false;
  std::swap(*call, calls_.back());
  calls_.pop_back();
  return true;
}

IncomingCalls::Waiters IncomingCalls::MarkCancelled(uint32_t id) {
  Call* call = Find(id);
  if (call == nullptr) return {};
  call->cancelled = true;
  return std::exchange(call->waiters, {});
}

std::vector<IncomingCalls::Waiters> IncomingCalls::RemoveAll() {
  std::vector<Waiters> waiters;
  waiters.reserve(calls_.size());
  for (Call& call : calls_) waiters.push_back(std::move(call.waiters));
  calls_.clear();
  return waiters;
}

std::optional<TimePoint> IncomingCalls::EarliestDeadline() const {
  std::optional<TimePoint> earliest;
  for (const Call& call : calls_) {
    if (call.deadline && (!earliest || *call.deadline < *earliest)) earliest = call.deadline;
  }
  return earliest;
}

std::vector<uint32_t> IncomingCalls::TakeDue(TimePoint now) {
  std::vector<uint32_t> due;
  for (Call& call : calls_) {
    if (!call.deadline || *call.deadline > now) continue;
    call.deadline.reset();
    call.expired = true;
    due.push_back(call.id);
  }
  return due;
}

}  // namespace lwmsg::internal
