#include "lwmsg/internal/spare_memory.h"

#include <array>
#include <atomic>
#include <cstdlib>

namespace lwmsg::internal {
namespace {

// Small enough that the allocator keeps what it gets back, and does not give it to the system.
constexpr size_t kPartBytes = size_t{16} << 10;

struct Spare {
  std::array<std::atomic<void*>, 8> parts{};
  std::atomic<bool> is_whole = false;
};

Spare& TheSpare() {
  static Spare spare;
  return spare;
}

}  // namespace

Status OutOfMemory() {
  return Status(StatusCode::kResourceExhausted, "out of memory");  // Short: it lies in the string.
}

Status CopyIfMemory(const Status& status) {
  try {
    return status;
  } catch (const std::bad_alloc&) {
    return status.ok() ? Status() : Status(status.code(), std::string());
  }
}

std::string TextIfMemory(std::string_view text) {
  try {
    return std::string(text);
  } catch (const std::bad_alloc&) {
    return {};
  }
}

bool GiveSpareMemory() {
  for (auto& part : TheSpare().parts) {
    void* memory = part.exchange(nullptr);
    if (memory == nullptr) continue;
    TheSpare().is_whole = false;
    std::free(memory);
    return true;
  }
  return false;
}

void RefillSpareMemory() {
  Spare& spare = TheSpare();
  if (spare.is_whole.load(std::memory_order_relaxed)) return;
  spare.is_whole = true;
  for (auto& part : spare.parts) {
    if (part.load() != nullptr) continue;
    void* memory = std::malloc(kPartBytes);
    void* none = nullptr;
    if (memory != nullptr && part.compare_exchange_strong(none, memory)) continue;
    std::free(memory);
    if (memory == nullptr) spare.is_whole = false;
  }
}

}  // namespace lwmsg::internal
