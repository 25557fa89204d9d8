#include "lwmsg/internal/incoming_calls.h"

#include <algorithm>
#include <utility>

#include "lwmsg/internal/spare_memory.h"

namespace lwmsg::internal {

void IncomingCalls::Waiters::Tell() {
  if (stop) stop->request_stop();
  if (on_cancel) on_cancel();
  if (on_credit) on_credit();
}

CallKey IncomingCalls::Add(Call call) {
  auto node = std::make_unique<Node>();
  node->call = std::move(call);
  node->call.serial = ++last_serial_;
  node->older = std::move(newest_);
  newest_ = std::move(node);
  ++size_;
  return newest_->call.key();
}

std::unique_ptr<IncomingCalls::Node>* IncomingCalls::Place(uint32_t id) {
  auto* place = &newest_;
  while (*place && (*place)->call.id != id) place = &(*place)->older;
  return place;
}

IncomingCalls::Call* IncomingCalls::Find(uint32_t id) {
  Node* node = Place(id)->get();
  return node == nullptr ? nullptr : &node->call;
}

IncomingCalls::Call* IncomingCalls::Find(const CallKey& key) {
  Call* call = Find(key.id);
  return call != nullptr && call->serial == key.serial ? call : nullptr;
}

bool IncomingCalls::Remove(uint32_t id) {
  auto* place = Place(id);
  if (!*place) return false;
  const auto node = std::move(*place);
  *place = std::move(node->older);
  --size_;
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
  Insist([&] { waiters.reserve(size_); });
  for (Node* node = newest_.get(); node != nullptr; node = node->older.get()) {
    waiters.push_back(std::move(node->call.waiters));
  }
  Clear();
  std::reverse(waiters.begin(), waiters.end());
  return waiters;
}

void IncomingCalls::Clear() {
  while (newest_) {
    auto older = std::move(newest_->older);
    newest_ = std::move(older);
  }
  size_ = 0;
}

std::optional<TimePoint> IncomingCalls::EarliestDeadline() const {
  std::optional<TimePoint> earliest;
  ForEach([&earliest](const Call& call) {
    if (call.deadline && (!earliest || *call.deadline < *earliest)) earliest = call.deadline;
  });
  return earliest;
}

std::vector<uint32_t> IncomingCalls::TakeDue(TimePoint now) {
  std::vector<uint32_t> due;
  for (Node* node = newest_.get(); node != nullptr; node = node->older.get()) {
    Call& call = node->call;
    if (!call.deadline || *call.deadline > now) continue;
    call.deadline.reset();
    call.expired = true;
    due.push_back(call.id);
  }
  return due;
}

}  // namespace lwmsg::internal
