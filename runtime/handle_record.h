#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"

namespace lwmsg::internal {

// Where a system cannot attach OS handles to bytes (Windows), a frame's header still counts them,
// and one record for each follows the body. A frame without a body has records for the transport
// alone. On the wire: three little-endian numbers, in this order.
struct HandleRecord {
  uint32_t what = 0;
  uint32_t kind = 0;
  uint64_t value = 0;
  bool operator==(const HandleRecord&) const = default;
};
constexpr size_t kHandleRecordBytes = 16;

void AppendRecord(const HandleRecord& record, std::vector<std::byte>& to);
HandleRecord ParseRecord(std::span<const std::byte, kHandleRecordBytes> bytes);

// An OS handle as a number, of whatever type the system has it.
template <typename Native = OsHandle::Native>
uint64_t ValueOf(const OsHandle& handle) {
  if constexpr (std::is_pointer_v<Native>) {
    return reinterpret_cast<uintptr_t>(Native{handle.get()});
  } else {
    return static_cast<uint64_t>(Native{handle.get()});
  }
}
template <typename Native = OsHandle::Native>
OsHandle OwnerOf(uint64_t number) {
  if constexpr (std::is_pointer_v<Native>) {
    return OsHandle(reinterpret_cast<Native>(static_cast<uintptr_t>(number)));
  } else {
    return OsHandle(static_cast<Native>(number));
  }
}

// Who understands records.
class HandleRecords {
 public:
  // The handles of a frame. Error: kMalformed, kUnavailable.
  virtual Result<std::vector<OsHandle>> Receive(std::span<const HandleRecord> records) = 0;
  // A frame without a body. Error: kMalformed.
  virtual Status Control(std::span<const HandleRecord> records) = 0;

  // For the FrameReader: of the frame under way, as read so far.
  std::vector<std::byte> bytes;

 protected:
  ~HandleRecords() = default;
};

}  // namespace lwmsg::internal
