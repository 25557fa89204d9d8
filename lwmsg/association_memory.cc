// Association: shared memory, this side's pools and the peer's.
#include <set>
#include <string>
#include <utility>

#include "lwmsg/association.h"
#include "lwmsg/internal/memory_pool.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/shared_places.h"

namespace lwmsg {
namespace internal {

Result<std::span<const std::byte>> PlaceIn(const MappedMemory& memory, uint64_t offset,
                                           uint64_t size) {
  const std::span<const std::byte> all = memory.bytes();
  if (offset <= all.size() && size <= all.size() - offset) return all.subspan(offset, size);
  return Error(StatusCode::kMalformed, "shared memory of " + std::to_string(size) +
                                           " bytes at offset " + std::to_string(offset) +
                                           " of memory that has " + std::to_string(all.size()));
}

void LentMemory::Add(WritableMemory memory) {
  const uint64_t offset = memory.offset();
  pools_[memory.pool()->number()].insert_or_assign(offset, std::move(memory));
}

bool LentMemory::Return(uint64_t pool, uint64_t offset) {
  const auto known = pools_.find(pool);
  return known != pools_.end() && known->second.erase(offset) != 0;
}

Result<SharedMemory> BorrowedMemory::Find(const MemoryName& name, const OsHandle* handle,
                                          std::shared_ptr<MemoryLoan> loan) {
  auto known = pools_.find(name.pool);
  if (known == pools_.end()) {
    if (handle == nullptr) {
      return Error(StatusCode::kMalformed,
                   "shared memory of pool " + std::to_string(name.pool) + ", which did not come");
    }
    if (pools_.size() >= kMostPools) {
      return Error(StatusCode::kResourceExhausted,
                   "the peer shares more than " + std::to_string(kMostPools) + " pools of memory");
    }
    auto mapped = MappedMemory::Open(*handle, left_);
    if (!mapped) return Error(std::move(mapped).error());
    left_ -= (*mapped)->bytes().size();
    known = pools_.emplace(name.pool, std::move(*mapped)).first;
  }
  auto bytes = PlaceIn(*known->second, name.offset, name.size);
  if (!bytes) return Error(std::move(bytes).error());
  return SharedMemory(known->second, *bytes, std::move(loan));
}

MemoryLoan::~MemoryLoan() {
  association_.Run([pool = pool_, offset = offset_](Association& association) {
    association.ReturnMemory(pool, offset);
  });
}

}  // namespace internal

Status Association::PlaceMemory(OutgoingMessage& message) const {
  auto& handles = message.handles();
  std::set<uint64_t> named;
  for (auto& [field, memory] : handles.memories()) {
    if (memory.sealed()) continue;  // The message was checked before, and not sent.
    field.setSize(memory.bytes().size());
    const auto& pool = memory.pool();
    if (!pool) {
      auto handle = memory.Seal();
      if (!handle) return std::move(handle).error();
      handles.Put(field.getMemory(), std::move(*handle));
      continue;
    }
    field.setPool(pool->number());
    field.setOffset(memory.offset());
    const bool known = lent_ && lent_->Knows(pool->number());
    if (known || !named.insert(pool->number()).second) continue;
    auto handle = pool->memory().HandleToSend();
    if (!handle) return std::move(handle).error();
    handles.Put(field.getMemory(), std::move(*handle));
  }
  return Status();
}

void Association::LendMemory(OutgoingMessage& message) {
  if (!lent_) lent_ = std::make_unique<internal::LentMemory>();
  for (auto& placed : message.handles().memories()) {
    if (placed.memory.pool()) lent_->Add(std::move(placed.memory));
  }
}

void Association::TakeBackMemory(OutgoingMessage& message) {
  for (auto& placed : message.handles().memories()) {
    const uint64_t pool = placed.field.getPool();
    if (pool == 0 || !lent_) continue;
    lent_->Return(pool, placed.field.getOffset());
    if (placed.field.getMemory().getSlot() != 0) lent_->Forget(pool);
  }
}

Status Association::BorrowMemory(IncomingMessage& message) {
  if (!borrowed_) {
    borrowed_ = std::make_unique<internal::BorrowedMemory>(limits().max_shared_bytes);
  }
  Status sound;
  std::vector<internal::IncomingMemory> memories;
  for (const internal::MemoryName& name : message.memory_names()) {
    if (name.pool == 0) continue;
    auto loan = std::make_shared<internal::MemoryLoan>(ref(), name.pool, name.offset);
    auto& place = memories.emplace_back(internal::IncomingMemory{name, std::move(loan)});
    const OsHandle* handle =
        name.slot == 0 ? nullptr : &message.handles().all()[size_t{name.slot} - 1];
    auto memory = borrowed_->Find(name, handle, place.loan);
    if (memory) {
      place.memory = std::move(*memory);
    } else if (sound.ok()) {
      sound = std::move(memory).error();
    }
  }
  message.handles().SetMemories(std::move(memories), limits().max_shared_bytes);
  return sound;
}

void Association::ReturnMemory(uint64_t pool, uint64_t offset) try {
  OutgoingMessage message;
  auto returned = message.state().envelope.initReturned();
  returned.setPool(pool);
  returned.setOffset(offset);
  Send(std::move(message));
} catch (const std::bad_alloc&) {
  EndForLackOfMemory();
}

void Association::OnReturned(IncomingMessage message) {
  const auto returned = message.state().envelope->getReturned();
  if (lent_ && lent_->Return(returned.getPool(), returned.getOffset())) return;
  End(Status(StatusCode::kMalformed, "memory came back that was not lent: pool " +
                                         std::to_string(returned.getPool()) + ", offset " +
                                         std::to_string(returned.getOffset())),
      true);
}

}  // namespace lwmsg
