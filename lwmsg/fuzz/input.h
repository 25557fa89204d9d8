#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace lwmsg::fuzz {

// The bytes of one run of a fuzzer, read as numbers, choices and pieces; past their end everything
// is 0 and empty. Read each in a statement of its own: compilers differ in the order in which they
// work out the arguments of one call, and saved inputs must mean the same to all of them.
class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }

  // Little-endian.
  template <typename T>
  T Number() {
    uint64_t value = 0;
    const auto piece = Bytes(sizeof(T));
    for (size_t i = piece.size(); i-- > 0;) value = value << 8 | piece[i];
    return static_cast<T>(value);
  }
  uint8_t Byte() { return Number<uint8_t>(); }
  bool Bool() { return (Byte() & 1) != 0; }
  // Less than `count`, which is 1 to 256.
  size_t Below(size_t count) { return Byte() % count; }
  // True in one of so many values of a byte.
  bool OneIn(size_t count) { return Byte() % count == count - 1; }

  // At most so many of the bytes.
  std::span<const uint8_t> Bytes(size_t most) {
    const auto piece = bytes_.first(std::min(most, bytes_.size()));
    bytes_ = bytes_.subspan(piece.size());
    return piece;
  }
  // As many as a byte says, and no more than `most`.
  std::string Text(size_t most) {
    const size_t size = Byte();
    const auto piece = Bytes(std::min(size, most));
    return {piece.begin(), piece.end()};
  }
  std::span<const uint8_t> Rest() { return Bytes(bytes_.size()); }

 private:
  std::span<const uint8_t> bytes_;
};

}  // namespace lwmsg::fuzz
