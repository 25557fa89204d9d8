#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "lwmsg/executor.h"
#include "lwmsg/function.h"
#include "lwmsg/internal/block_pool.h"
#include "lwmsg/internal/call_key.h"
#include "lwmsg/internal/call_report.h"
#include "lwmsg/protocol.h"

namespace lwmsg::internal {

// The peer's calls that have no answer yet. Few at a time, so they are searched one by one, the
// newest first; and mostly none, so that it has no memory then. Never calls the callbacks itself.
class IncomingCalls {
 public:
  IncomingCalls() = default;
  IncomingCalls(const IncomingCalls&) = delete;
  IncomingCalls& operator=(const IncomingCalls&) = delete;
  ~IncomingCalls() { Clear(); }

  // Who wants to know that the answer to a call is no longer wanted.
  struct Waiters {
    UniqueFunction<void()> on_cancel;
    UniqueFunction<void()> on_credit;
    std::optional<std::stop_source> stop;

    // Runs user code.
    void Tell();
  };
  struct Call {
    uint32_t id = 0;
    uint64_t serial = 0;  // Given by Add.
    const Protocol* protocol = nullptr;
    const MethodInfo* method = nullptr;
    TimePoint started = {};
    std::optional<TimePoint> deadline = {};
    // Of a stream: items that may be sent.
    uint32_t credit = 0;
    uint32_t items = 0;  // That were sent.
    bool cancelled = false;
    bool expired = false;  // Cancelled by its deadline.
    Waiters waiters = {};
    std::unique_ptr<CallReport> report = {};  // Null if nobody watches.

    CallKey key() const { return {id, serial}; }
  };

  CallKey Add(Call call);
  // Null if no call has this id; or if it has, and is another.
  Call* Find(uint32_t id);
  Call* Find(const CallKey& key);
  const Call* Find(const CallKey& key) const { return const_cast<IncomingCalls*>(this)->Find(key); }
  // False if no call has this id.
  bool Remove(uint32_t id);
  // Marks the call, if there is one, and returns whom to tell.
  Waiters MarkCancelled(uint32_t id);
  // Whom to tell of all calls, the oldest first; none is left.
  std::vector<Waiters> RemoveAll();

  size_t size() const { return size_; }
  // The newest first.
  template <typename Function>
  void ForEach(Function function) const {
    for (const Node* node = newest_.get(); node != nullptr; node = node->older.get()) {
      function(node->call);
    }
  }
  std::optional<TimePoint> EarliestDeadline() const;
  // The ids of the calls whose deadline is at or before `now`; they have none afterwards.
  std::vector<uint32_t> TakeDue(TimePoint now);

 private:
  // As many as a burst of calls has.
  static constexpr size_t kPooledCalls = 256;

  struct Node : Pooled<Node, kPooledCalls> {
    Call call;
    std::unique_ptr<Node> older;
  };

  // Where the node of this id is held; empty if no call has it.
  std::unique_ptr<Node>* Place(uint32_t id);
  // One by one: a chain of destructors could exhaust the stack.
  void Clear();

  std::unique_ptr<Node> newest_;
  size_t size_ = 0;
  uint64_t last_serial_ = 0;
};

}  // namespace lwmsg::internal
