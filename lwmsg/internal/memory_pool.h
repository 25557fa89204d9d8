#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "lwmsg/internal/loop_ref.h"
#include "lwmsg/internal/mapped_memory.h"

namespace lwmsg {
class Association;
}

namespace lwmsg::internal {

// See SharedMemoryPool. Any thread.
class MemoryPool {
 public:
  MemoryPool(std::unique_ptr<MappedMemory> memory, size_t place_bytes);

  // Unlike that of any other pool of the process; never 0.
  uint64_t number() const { return number_; }
  const MappedMemory& memory() const { return *memory_; }
  size_t place_bytes() const { return place_bytes_; }

  // The offset of a free place.
  std::optional<size_t> Take();
  void GiveBack(size_t offset);
  size_t free_places() const;

 private:
  const uint64_t number_;
  const std::unique_ptr<MappedMemory> memory_;
  const size_t place_bytes_;
  mutable std::mutex mutex_;
  std::vector<size_t> free_;  // Offsets. Guarded by mutex_.
};

// A place of a peer's pool that this side was sent: the peer is told when it is let go of. Any
// thread.
class MemoryLoan {
 public:
  MemoryLoan(LoopRef<Association> association, uint64_t pool, uint64_t offset)
      : association_(std::move(association)), pool_(pool), offset_(offset) {}
  MemoryLoan(const MemoryLoan&) = delete;
  MemoryLoan& operator=(const MemoryLoan&) = delete;
  ~MemoryLoan();

  uint64_t pool() const { return pool_; }
  uint64_t offset() const { return offset_; }

 private:
  LoopRef<Association> association_;
  uint64_t pool_;
  uint64_t offset_;
};

}  // namespace lwmsg::internal
