#include "runtime/handle_record.h"

namespace lwmsg::internal {
namespace {

void Append(uint64_t value, size_t bytes, std::vector<std::byte>& to) {
  for (size_t i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(value >> 8 * i));
}

uint64_t Read(std::span<const std::byte> bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<uint64_t>(bytes[i]);
  return value;
}

}  // namespace

void AppendRecord(const HandleRecord& record, std::vector<std::byte>& to) {
  Append(record.what, 4, to);
  Append(record.kind, 4, to);
  Append(record.value, 8, to);
}

HandleRecord ParseRecord(std::span<const std::byte, kHandleRecordBytes> bytes) {
  return {static_cast<uint32_t>(Read(bytes.first(4))),
          static_cast<uint32_t>(Read(bytes.subspan(4, 4))), Read(bytes.subspan(8))};
}

}  // namespace lwmsg::internal
