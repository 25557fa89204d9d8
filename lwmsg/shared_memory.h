#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"

namespace lwmsg {

namespace internal {
class MappedMemory;
class MemoryLoan;
class MemoryPool;
}  // namespace internal

// Bytes that are written here and read in place by the process that a message takes them to: what a
// `SharedMemory` field is given. Move-only. One that is dropped without being sent costs nothing
// more.
class WritableMemory {
 public:
  // Memory of its own: `size` bytes, at least 1, all zero. Once it is sent nobody can change it
  // (seals, memfd_create(2)), on Windows nobody but this process. It is fresh memory, which the
  // system must make and both sides map: for messages that follow one another a SharedMemoryPool is
  // several times as fast. Error: kResourceExhausted, kInvalidArgument, kUnimplemented before Linux
  // 5.1.
  static Result<WritableMemory> Create(size_t size);
  // A place in `pool`, at `offset`.
  WritableMemory(std::shared_ptr<internal::MemoryPool> pool, size_t offset);
  WritableMemory(WritableMemory&&) noexcept;
  WritableMemory& operator=(WritableMemory&&) noexcept;
  ~WritableMemory();

  // What is sent. Good until then; a pool's place still has what was last in it.
  std::span<std::byte> bytes() const { return bytes_; }
  // Sends only the first `size` bytes; all if there are no more.
  void Truncate(size_t size) { bytes_ = bytes_.first(std::min(size, bytes_.size())); }

  // For lwmsg itself. Null: of its own.
  const std::shared_ptr<internal::MemoryPool>& pool() const { return pool_; }
  size_t offset() const { return offset_; }
  // Takes the memory out, unmapped and sealed. Once, and only of its own.
  Result<OsHandle> Seal();
  bool sealed() const { return !pool_ && !own_; }

 private:
  WritableMemory() = default;
  void GiveBack();

  std::shared_ptr<internal::MemoryPool> pool_;
  std::unique_ptr<internal::MappedMemory> own_;
  size_t offset_ = 0;
  std::span<std::byte> bytes_;
};

// Memory that this process and those it is sent to keep mapped, in places of one size that are used
// again and again: to send what stands in one costs no copy, no descriptor and no fresh memory. A
// place is free again when the receiver has let go of it, or its association has ended. A peer that
// keeps them can use up the pool, and a peer that was sent one place can read all others: who is
// not trusted with either gets a pool of his own. Receivers keep a pool mapped until the
// association ends, so a process makes few. Copies are the same pool. Any thread.
class SharedMemoryPool {
 public:
  // `places` of `place_bytes` each, at least 1 of both. Takes the memory at once, so that none is
  // missing later. Error: as WritableMemory::Create.
  static Result<SharedMemoryPool> Create(size_t place_bytes, size_t places);

  // A free place. Error: kResourceExhausted if there is none.
  Result<WritableMemory> Take();
  size_t free_places() const;

 private:
  explicit SharedMemoryPool(std::shared_ptr<internal::MemoryPool> pool) : pool_(std::move(pool)) {}

  std::shared_ptr<internal::MemoryPool> pool_;
};

// Bytes that a peer shares, mapped read-only. Move-only; lets go of them at the end, which gives a
// pool's place back to the peer. Any thread.
//
// Bytes of a pool can still be changed by the peer, at any time: copy out what is checked before it
// is used, as one would what lies in a file that others write. Bytes of memory of their own cannot
// on Linux; on Windows, too, they can.
class SharedMemory {
 public:
  SharedMemory(std::shared_ptr<const internal::MappedMemory> memory,
               std::span<const std::byte> bytes, std::shared_ptr<internal::MemoryLoan> loan);
  SharedMemory(SharedMemory&&) noexcept;
  SharedMemory& operator=(SharedMemory&&) noexcept;
  ~SharedMemory();

  std::span<const std::byte> bytes() const { return bytes_; }
  // False: of a pool, or of a system that cannot seal.
  bool constant() const { return constant_; }

 private:
  std::shared_ptr<internal::MemoryLoan> loan_;
  std::shared_ptr<const internal::MappedMemory> memory_;
  std::span<const std::byte> bytes_;
  bool constant_;
};

}  // namespace lwmsg
