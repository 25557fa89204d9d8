#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "lwmsg/os_handle.h"

namespace lwmsg::internal {

// OS handles that a peer sent. Those that nobody takes out go by CloseLater.
class ReceivedHandles {
 public:
  ReceivedHandles() = default;
  explicit ReceivedHandles(std::vector<OsHandle> handles) : handles_(std::move(handles)) {}
  ReceivedHandles(ReceivedHandles&& other) noexcept = default;
  ReceivedHandles& operator=(ReceivedHandles&& other) noexcept {
    std::swap(handles_, other.handles_);
    return *this;
  }
  ~ReceivedHandles() {
    if (!handles_.empty()) CloseRest();
  }

  bool empty() const { return handles_.empty(); }
  size_t size() const { return handles_.size(); }
  OsHandle& operator[](size_t index) { return handles_[index]; }
  auto begin() { return handles_.begin(); }
  auto end() { return handles_.end(); }
  auto begin() const { return handles_.begin(); }
  auto end() const { return handles_.end(); }
  const std::vector<OsHandle>& all() const { return handles_; }
  void reserve(size_t count) { handles_.reserve(count); }
  void push_back(OsHandle handle) { handles_.push_back(std::move(handle)); }

 private:
  void CloseRest() {
    std::erase_if(handles_, [](const OsHandle& handle) { return !handle.valid(); });
    if (!handles_.empty()) CloseLater(std::move(handles_));
  }

  std::vector<OsHandle> handles_;
};

}  // namespace lwmsg::internal
