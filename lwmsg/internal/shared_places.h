#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "lwmsg/internal/mapped_memory.h"
#include "lwmsg/internal/payload_type.h"
#include "lwmsg/shared_memory.h"

namespace lwmsg::internal {

// Of a pool, as a message brought it.
struct IncomingMemory {
  MemoryName name;
  std::shared_ptr<MemoryLoan> loan;
  // Empty if something is wrong with it: then the place goes back to the peer with the message.
  std::optional<SharedMemory> memory = {};
};

// The bytes of a message inside `memory`. Error: kMalformed if they are not.
Result<std::span<const std::byte>> PlaceIn(const MappedMemory& memory, uint64_t offset,
                                           uint64_t size);

// Places of this side's pools that the peer of one association was sent and has not given back.
class LentMemory {
 public:
  // Whether the peer has been sent the memory of this pool.
  bool Knows(uint64_t pool) const { return pools_.count(pool) != 0; }
  void Add(WritableMemory memory);
  // One that the peer was lent. False if it was not.
  bool Return(uint64_t pool, uint64_t offset);
  // The peer did not get the memory of this pool.
  void Forget(uint64_t pool) { pools_.erase(pool); }

 private:
  // By pool and offset; a place that is lent cannot be taken again.
  std::map<uint64_t, std::map<uint64_t, WritableMemory>> pools_;
};

// The pools of the peer that one association keeps mapped.
class BorrowedMemory {
 public:
  // More than that are a bug of the peer, or an attack.
  static constexpr size_t kMostPools = 64;

  explicit BorrowedMemory(size_t max_bytes) : left_(max_bytes) {}

  // The bytes that `name` is of. `handle` is of its pool's memory, if the message has one: then the
  // pool is mapped if it is new. Error: kMalformed, kResourceExhausted.
  Result<SharedMemory> Find(const MemoryName& name, const OsHandle* handle,
                            std::shared_ptr<MemoryLoan> loan);

 private:
  std::map<uint64_t, std::shared_ptr<const MappedMemory>> pools_;
  size_t left_;
};

}  // namespace lwmsg::internal
