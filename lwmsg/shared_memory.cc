#include "lwmsg/shared_memory.h"

#include <atomic>
#include <string>
#include <utility>

#include "lwmsg/internal/memory_pool.h"

namespace lwmsg {
namespace internal {
namespace {

uint64_t NextNumber() {
  static std::atomic<uint64_t> last = 0;
  return ++last;
}

}  // namespace

MemoryPool::MemoryPool(std::unique_ptr<MappedMemory> memory, size_t place_bytes)
    : number_(NextNumber()), memory_(std::move(memory)), place_bytes_(place_bytes) {
  // The place that was given back last is taken first: it may still be in the processor's cache.
  for (size_t end = memory_->bytes().size() / place_bytes; end-- > 0;) {
    free_.push_back(end * place_bytes);
  }
}

std::optional<size_t> MemoryPool::Take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::nullopt;
  const size_t offset = free_.back();
  free_.pop_back();
  return offset;
}

void MemoryPool::GiveBack(size_t offset) {
  const std::lock_guard lock(mutex_);
  free_.push_back(offset);
}

size_t MemoryPool::free_places() const {
  const std::lock_guard lock(mutex_);
  return free_.size();
}

}  // namespace internal

Result<WritableMemory> WritableMemory::Create(size_t size) {
  if (size == 0) return Error(StatusCode::kInvalidArgument, "shared memory of 0 bytes");
  auto memory = internal::MappedMemory::Create(size);
  if (!memory) return Error(std::move(memory).error());
  WritableMemory made;
  made.own_ = std::move(*memory);
  made.bytes_ = made.own_->bytes().first(size);
  return made;
}

WritableMemory::WritableMemory(std::shared_ptr<internal::MemoryPool> pool, size_t offset)
    : pool_(std::move(pool)),
      offset_(offset),
      bytes_(pool_->memory().bytes().subspan(offset, pool_->place_bytes())) {}

WritableMemory::WritableMemory(WritableMemory&& other) noexcept
    : pool_(std::move(other.pool_)),
      own_(std::move(other.own_)),
      offset_(other.offset_),
      bytes_(std::exchange(other.bytes_, {})) {}

WritableMemory& WritableMemory::operator=(WritableMemory&& other) noexcept {
  if (this == &other) return *this;
  GiveBack();
  pool_ = std::move(other.pool_);
  own_ = std::move(other.own_);
  offset_ = other.offset_;
  bytes_ = std::exchange(other.bytes_, {});
  return *this;
}

WritableMemory::~WritableMemory() { GiveBack(); }

void WritableMemory::GiveBack() {
  if (pool_) pool_->GiveBack(offset_);
}

Result<OsHandle> WritableMemory::Seal() {
  bytes_ = {};
  return std::exchange(own_, nullptr)->Seal();
}

Result<SharedMemoryPool> SharedMemoryPool::Create(size_t place_bytes, size_t places) {
  if (place_bytes == 0 || places == 0 || places > SIZE_MAX / place_bytes) {
    return Error(StatusCode::kInvalidArgument, "a pool of " + std::to_string(places) +
                                                   " places of " + std::to_string(place_bytes) +
                                                   " bytes cannot be");
  }
  auto memory = internal::MappedMemory::Create(place_bytes * places);
  if (!memory) return Error(std::move(memory).error());
  return SharedMemoryPool(std::make_shared<internal::MemoryPool>(std::move(*memory), place_bytes));
}

Result<WritableMemory> SharedMemoryPool::Take() {
  const auto offset = pool_->Take();
  if (offset) return WritableMemory(pool_, *offset);
  return Error(StatusCode::kResourceExhausted,
               "no place of the pool is free: all are filled here, or peers still read them");
}

size_t SharedMemoryPool::free_places() const { return pool_->free_places(); }

SharedMemory::SharedMemory(std::shared_ptr<const internal::MappedMemory> memory,
                           std::span<const std::byte> bytes,
                           std::shared_ptr<internal::MemoryLoan> loan)
    : loan_(std::move(loan)),
      memory_(std::move(memory)),
      bytes_(bytes),
      constant_(memory_->constant()) {}
SharedMemory::SharedMemory(SharedMemory&&) noexcept = default;
SharedMemory& SharedMemory::operator=(SharedMemory&&) noexcept = default;
SharedMemory::~SharedMemory() = default;

}  // namespace lwmsg
