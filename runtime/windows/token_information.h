#pragma once

#include <windows.h>

#include <cstdint>
#include <vector>

#include "lwmsg/os_handle.h"

namespace lwmsg::internal {

// One kind of what an access token tells, such as TOKEN_USER; false if it could not be read. The
// SIDs in it live as long as this does.
template <typename Value>
class TokenInformation {
 public:
  TokenInformation(const OsHandle& token, TOKEN_INFORMATION_CLASS kind) {
    DWORD size = sizeof(Value);
    for (;;) {
      buffer_.resize(size / sizeof(uint64_t) + 1);
      DWORD room = static_cast<DWORD>(buffer_.size() * sizeof(uint64_t));
      if (GetTokenInformation(token.get(), kind, buffer_.data(), room, &size) != 0) return;
      if (GetLastError() != ERROR_INSUFFICIENT_BUFFER || size <= room) break;
    }
    buffer_.clear();
  }

  explicit operator bool() const { return !buffer_.empty(); }
  const Value& operator*() const { return *reinterpret_cast<const Value*>(buffer_.data()); }
  const Value* operator->() const { return &**this; }

 private:
  std::vector<uint64_t> buffer_;  // Aligned for the pointers in it.
};

}  // namespace lwmsg::internal
