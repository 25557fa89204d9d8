#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "lwmsg/internal/handle_account.h"
#include "lwmsg/os_handle.h"

namespace lwmsg::internal {

// OS handles that a peer sent. Those that nobody takes out go by CloseLater.
class ReceivedHandles {
 public:
  ReceivedHandles() = default;
  // `account` holds them; null: none does.
  explicit ReceivedHandles(std::vector<OsHandle> handles,
                           std::shared_ptr<HandleAccount> account = nullptr)
      : handles_(std::move(handles)), account_(std::move(account)) {}
  ReceivedHandles(ReceivedHandles&& other) noexcept = default;
  ReceivedHandles& operator=(ReceivedHandles&& other) noexcept {
    std::swap(handles_, other.handles_);
    std::swap(account_, other.account_);
    return *this;
  }
  ~ReceivedHandles() {
    if (!handles_.empty()) CloseRest();
  }

  // Null: they are not counted.
  const std::shared_ptr<HandleAccount>& account() const { return account_; }
  bool empty() const { return handles_.empty(); }
  size_t size() const { return handles_.size(); }
  auto begin() const { return handles_.begin(); }
  auto end() const { return handles_.end(); }
  // One more, if no account holds them.
  void push_back(OsHandle handle) { handles_.push_back(std::move(handle)); }
  // Those that were taken out are not valid.
  const std::vector<OsHandle>& all() const { return handles_; }
  OsHandle Take(size_t index) {
    if (account_ && handles_[index].valid()) account_->LetGo(1);
    return std::move(handles_[index]);
  }
  // The reverse.
  void PutBack(size_t index, OsHandle handle) {
    if (account_) account_->Hold(1);
    handles_[index] = std::move(handle);
  }

 private:
  void CloseRest() {
    std::erase_if(handles_, [](const OsHandle& handle) { return !handle.valid(); });
    if (!handles_.empty()) CloseLater(std::move(handles_), std::move(account_));
  }

  std::vector<OsHandle> handles_;
  std::shared_ptr<HandleAccount> account_;
};

}  // namespace lwmsg::internal
