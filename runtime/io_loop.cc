#include "runtime/io_loop.h"

#include <algorithm>
#include <utility>

#include "lwmsg/internal/spare_memory.h"

namespace lwmsg::internal {
namespace {

constexpr size_t kReadBufferBytes = 16 << 10;

}  // namespace

void IoLoop::FlushAtEndOfTurn(Flushable& flushable) {
  if (std::find(flushes_.begin(), flushes_.end(), &flushable) == flushes_.end()) {
    Insist([&] { flushes_.push_back(&flushable); });
  }
}

void IoLoop::ForgetFlush(Flushable& flushable) { std::erase(flushes_, &flushable); }

void IoLoop::FlushAll() {
  ++turn_;
  RefillSpareMemory();
  // A flush may report the end of a connection, whose owner may destroy others or send more.
  while (!flushes_.empty()) {
    Flushable* flushable = flushes_.back();
    flushes_.pop_back();
    flushable->Flush();
  }
}

std::span<std::byte> IoLoop::read_buffer() {
  if (!read_buffer_) read_buffer_ = std::make_unique_for_overwrite<std::byte[]>(kReadBufferBytes);
  return {read_buffer_.get(), kReadBufferBytes};
}

}  // namespace lwmsg::internal
