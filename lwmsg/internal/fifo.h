#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace lwmsg::internal {

// A queue that has no memory before it is used and keeps little when it is empty; std::deque has
// half a KiB from birth. `T` is movable.
template <typename T>
class Fifo {
 public:
  bool empty() const { return first_ == items_.size(); }
  size_t size() const { return items_.size() - first_; }
  T& front() { return items_[first_]; }
  auto begin() { return items_.begin() + static_cast<ptrdiff_t>(first_); }
  auto end() { return items_.end(); }

  // So many more are pushed without memory.
  void MakeRoom(size_t count) {
    if (items_.capacity() - items_.size() >= count) return;
    DropTaken();
    items_.reserve(std::max(items_.size() + count, 2 * items_.size()));
  }
  void push_back(T item) {
    if (items_.size() == items_.capacity() && 2 * first_ > items_.size()) DropTaken();
    items_.push_back(std::move(item));
  }
  T TakeFront() {
    T item = std::move(items_[first_++]);
    if (empty()) clear();
    return item;
  }
  void clear() {
    items_.clear();
    first_ = 0;
    if (items_.capacity() > kKept) std::vector<T>().swap(items_);
  }

 private:
  // Items for which there stays room.
  static constexpr size_t kKept = 128;

  void DropTaken() {
    items_.erase(items_.begin(), begin());
    first_ = 0;
  }

  std::vector<T> items_;
  size_t first_ = 0;
};

}  // namespace lwmsg::internal
