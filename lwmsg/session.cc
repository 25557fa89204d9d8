#include "lwmsg/session.h"

#include <span>
#include <string>
#include <utility>

#include "lwmsg/internal/random.h"
#include "lwmsg/internal/repeatable.h"
#include "lwmsg/limit_hits.h"
#include "lwmsg/session_key.h"

namespace lwmsg {
namespace {

Status NoSuchObject(uint64_t id) {
  return Status(StatusCode::kInvalidHandle,
                "session object " + std::to_string(id) +
                    " does not exist, was closed, or is of another kind; open it again");
}

// Null but in a simulation.
uint64_t*& SeededIds() {
  static thread_local uint64_t* state = nullptr;
  return state;
}

}  // namespace

uint64_t* internal::SeedRandomIds(uint64_t* state) { return std::exchange(SeededIds(), state); }

uint64_t RandomId() {
  uint64_t id = 0;
  while (id == 0) {
    if (uint64_t* seeded = SeededIds()) {
      id = internal::NextSeeded(*seeded);
    } else {
      internal::FillRandom(std::as_writable_bytes(std::span(&id, 1)));
    }
  }
  return id;
}

SessionKey SessionKey::Random() {
  std::string bytes;
  for (const uint64_t half : {RandomId(), RandomId()}) {
    for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(half >> shift & 0xFF);
  }
  return SessionKey(std::move(bytes));
}

uint64_t Session::id() const {
  const std::lock_guard lock(mutex_);
  if (id_ == 0) id_ = RandomId();
  return id_;
}

Result<uint64_t> Session::Insert(Object object) {
  const std::lock_guard lock(mutex_);
  if (ended_) return Error(StatusCode::kUnavailable, "the session has ended");
  if (!table_) table_ = std::make_unique<Table>();
  auto& [last_id, objects, ids] = *table_;
  auto [known, added] = ids.try_emplace({object.object.get(), object.kind}, last_id + 1);
  if (!added) {
    ++objects.at(known->second).copies;
    return known->second;
  }
  if (objects.size() >= max_objects_) {
    ids.erase(known);
    return Error(StatusCode::kResourceExhausted,
                 "the session has " + std::to_string(max_objects_) + " open objects, " +
                     internal::HitLimit(internal::Limit::kMaxObjects) + "; close some first");
  }
  object.copies = 1;
  objects.emplace(++last_id, std::move(object));
  return last_id;
}

Session::Object* Session::FindAny(uint64_t id) const {
  if (!table_) return nullptr;
  auto found = table_->objects.find(id);
  return found == table_->objects.end() ? nullptr : &found->second;
}

Result<std::shared_ptr<void>> Session::Find(uint64_t kind, std::type_index type,
                                            uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const Object* found = FindAny(id);
  if (found == nullptr || found->kind != kind || found->type != type) {
    return Error(NoSuchObject(id));
  }
  return found->object;
}

Result<std::shared_ptr<Service>> Session::FindService(uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const Object* found = FindAny(id);
  if (found == nullptr) return Error(NoSuchObject(id));
  if (found->service == nullptr) {
    return Error(StatusCode::kInvalidHandle, "session object " + std::to_string(id) +
                                                 " has no methods; its owner registered it as "
                                                 "something that is no lwmsg::Service");
  }
  return std::shared_ptr<Service>(found->object, found->service);
}

std::shared_ptr<void> Session::Erase(uint64_t id) {
  auto node = table_->objects.extract(id);
  table_->ids.erase({node.mapped().object.get(), node.mapped().kind});
  return std::move(node.mapped().object);
}

Status Session::Unregister(uint64_t kind, uint64_t id) {
  std::shared_ptr<void> object;
  const std::lock_guard lock(mutex_);
  const Object* found = FindAny(id);
  if (found == nullptr || found->kind != kind) return NoSuchObject(id);
  object = Erase(id);
  return Status();
}

Status Session::Release(uint64_t id, uint32_t copies) {
  std::shared_ptr<void> object;
  const std::lock_guard lock(mutex_);
  Object* found = FindAny(id);
  if (found == nullptr) return Status();
  if (copies > found->copies) {
    return Status(StatusCode::kMalformed, "release of " + std::to_string(copies) +
                                              " copies of object " + std::to_string(id) +
                                              ", of which " + std::to_string(found->copies) +
                                              " were sent");
  }
  found->copies -= copies;
  if (found->copies == 0) object = Erase(id);
  return Status();
}

size_t Session::object_count() const {
  const std::lock_guard lock(mutex_);
  return table_ ? table_->objects.size() : 0;
}

void Session::End() {
  std::unique_ptr<Table> table;
  std::shared_ptr<void> data;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    table.swap(table_);
    data.swap(data_);
  }
  table.reset();  // Before the data, which its objects may use.
}

}  // namespace lwmsg
