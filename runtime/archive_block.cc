#include "runtime/archive_block.h"

#include <capnp/serialize.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace lwmsg::internal {
namespace {

constexpr size_t kHeaderBytes = 16;
constexpr std::array<unsigned char, 4> kMagic = {'L', 'W', 'A', 1};
constexpr size_t kBufferBytes = 65536;

constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78 : 0);
    table[i] = value;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kTable = MakeTable();

void Put(unsigned char* to, uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<unsigned char>(value >> (8 * i));
}

uint32_t Get(const unsigned char* from) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value |= uint32_t{from[i]} << (8 * i);
  return value;
}

bool IsZero(std::span<const unsigned char> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](unsigned char byte) { return byte == 0; });
}

}  // namespace

uint32_t Crc32c(std::span<const unsigned char> bytes) {
  uint32_t crc = 0xffffffff;
  for (unsigned char byte : bytes) crc = (crc >> 8) ^ kTable[(crc ^ byte) & 0xff];
  return ~crc;
}

std::vector<unsigned char> MakeBlock(capnp::MessageBuilder& message) {
  const kj::Array<capnp::word> words = capnp::messageToFlatArray(message);
  const auto body = words.asBytes();
  std::vector<unsigned char> block(kHeaderBytes + body.size());
  std::copy(kMagic.begin(), kMagic.end(), block.begin());
  Put(&block[4], static_cast<uint32_t>(words.size()));
  Put(&block[8], Crc32c({body.begin(), body.size()}));
  Put(&block[12], Crc32c({block.data(), 12}));
  std::memcpy(&block[kHeaderBytes], body.begin(), body.size());
  return block;
}

Status BlockReader::Read(std::span<unsigned char> to, size_t& count) {
  for (count = 0; count < to.size();) {
    if (buffered_from_ == buffer_.size()) {
      buffer_.resize(kBufferBytes);
      buffered_from_ = 0;
      auto got = file_.Read(buffer_);
      buffer_.resize(got.value_or(0));
      if (!got) return got.error();
      if (*got == 0) break;
    }
    const size_t part = std::min(to.size() - count, buffer_.size() - buffered_from_);
    std::memcpy(&to[count], &buffer_[buffered_from_], part);
    buffered_from_ += part;
    count += part;
  }
  read_ += count;
  return Status();
}

Result<std::optional<kj::Array<capnp::word>>> BlockReader::Next(uint32_t max_bytes) {
  std::array<unsigned char, kHeaderBytes> header{};
  size_t count = 0;
  read_ = last_ = offset_;
  Status status = Read(header, count);
  if (!status.ok()) return Error(std::move(status));
  if (count == 0) return std::nullopt;
  if (count < header.size()) {
    torn_ = offset_ != 0;
    return Error(Damage("the file ends in the header of the block; it was cut short"));
  }
  if (Get(&header[12]) != Crc32c({header.data(), 12}) ||
      !std::equal(kMagic.begin(), kMagic.end(), header.begin())) {
    auto zeros = OnlyZerosLeft(header);
    if (!zeros) return Error(zeros.error());
    torn_ = *zeros && offset_ != 0;
    return Error(Damage(offset_ == 0 ? "this is no archive, or its first bytes are damaged"
                        : *zeros     ? "there are only zeros from here on; the file was cut short"
                                     : "the header of the block is damaged"));
  }
  const uint64_t bytes = uint64_t{8} * Get(&header[4]);
  if (bytes > max_bytes) {
    return Error(Damage("the block has " + std::to_string(bytes) + " bytes; the limit is " +
                            std::to_string(max_bytes),
                        StatusCode::kResourceExhausted));
  }
  auto words = kj::heapArray<capnp::word>(bytes / 8);
  status = Read({words.asBytes().begin(), bytes}, count);
  if (!status.ok()) return Error(std::move(status));
  if (count < bytes) {
    torn_ = offset_ != 0;
    return Error(Damage("the file ends after " + std::to_string(count) + " of " +
                        std::to_string(bytes) + " bytes of the block; it was cut short"));
  }
  if (Get(&header[8]) != Crc32c({words.asBytes().begin(), bytes})) {
    return Error(Damage("the checksum of the block is wrong; the file is damaged"));
  }
  offset_ = read_;
  return words;
}

Result<bool> BlockReader::OnlyZerosLeft(std::span<const unsigned char> header) {
  if (!IsZero(header)) return false;
  std::array<unsigned char, 4096> bytes{};
  for (size_t count = bytes.size(); count == bytes.size();) {
    Status status = Read(bytes, count);
    if (!status.ok()) return Error(std::move(status));
    if (!IsZero({bytes.data(), count})) return false;
  }
  return true;
}

Result<uint64_t> BlockReader::Remaining() {
  std::array<unsigned char, 4096> bytes{};
  for (size_t count = bytes.size(); count == bytes.size();) {
    Status status = Read(bytes, count);
    if (!status.ok()) return Error(std::move(status));
  }
  return read_ - offset_;
}

Status BlockReader::Damage(const std::string& what, StatusCode code) const {
  return Status(code, "archive '" + file_.path() + "', offset " + std::to_string(last_) +
                          ", after " + std::to_string(records_) + " records: " + what);
}

}  // namespace lwmsg::internal
