#include "lwmsg/session.h"

#include <span>
#include <string>

#include "lwmsg/internal/random.h"
#include "lwmsg/session_key.h"

namespace lwmsg {
namespace {

Status NoSuchObject(uint64_t id) {
  return Status(StatusCode::kInvalidHandle,
                "session object " + std::to_string(id) +
                    " does not exist, was closed, or is of another kind; open it again");
}

}  // namespace

uint64_t RandomId() {
  uint64_t id = 0;
  while (id == 0) internal::FillRandom(std::as_writable_bytes(std::span(&id, 1)));
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
  // Object ids begin anywhere, so that a name of an earlier session, perhaps of a server that was
  // started again, is no name in this one.
  if (last_object_id_ == 0) last_object_id_ = RandomId() >> 1;
  auto [known, added] = ids_.try_emplace({object.object.get(), object.kind}, last_object_id_ + 1);
  if (!added) {
    ++objects_.at(known->second).copies;
    return known->second;
  }
  if (objects_.size() >= max_objects_) {
    ids_.erase(known);
    return Error(StatusCode::kResourceExhausted,
                 "the session has " + std::to_string(max_objects_) +
                     " open objects, Limits::max_objects; close some first");
  }
  object.copies = 1;
  objects_.emplace(++last_object_id_, std::move(object));
  return last_object_id_;
}

Result<std::shared_ptr<void>> Session::Find(uint64_t kind, std::type_index type,
                                            uint64_t id) const {
  const std::lock_guard lock(mutex_);
  auto found = objects_.find(id);
  if (found == objects_.end() || found->second.kind != kind || found->second.type != type) {
    return Error(NoSuchObject(id));
  }
  return found->second.object;
}

Result<std::shared_ptr<Service>> Session::FindService(uint64_t id) const {
  const std::lock_guard lock(mutex_);
  auto found = objects_.find(id);
  if (found == objects_.end()) return Error(NoSuchObject(id));
  if (found->second.service == nullptr) {
    return Error(StatusCode::kInvalidHandle, "session object " + std::to_string(id) +
                                                 " has no methods; its owner registered it as "
                                                 "something that is no lwmsg::Service");
  }
  return std::shared_ptr<Service>(found->second.object, found->second.service);
}

std::shared_ptr<void> Session::Erase(Objects::iterator place) {
  ids_.erase({place->second.object.get(), place->second.kind});
  auto object = std::move(place->second.object);
  objects_.erase(place);
  return object;
}

Status Session::Unregister(uint64_t kind, uint64_t id) {
  std::shared_ptr<void> object;
  const std::lock_guard lock(mutex_);
  auto found = objects_.find(id);
  if (found == objects_.end() || found->second.kind != kind) return NoSuchObject(id);
  object = Erase(found);
  return Status();
}

Status Session::Release(uint64_t id, uint32_t copies) {
  std::shared_ptr<void> object;
  const std::lock_guard lock(mutex_);
  auto found = objects_.find(id);
  if (found == objects_.end()) return Status();
  if (copies > found->second.copies) {
    return Status(StatusCode::kMalformed, "release of " + std::to_string(copies) +
                                              " copies of object " + std::to_string(id) +
                                              ", of which " + std::to_string(found->second.copies) +
                                              " were sent");
  }
  found->second.copies -= copies;
  if (found->second.copies == 0) object = Erase(found);
  return Status();
}

size_t Session::object_count() const {
  const std::lock_guard lock(mutex_);
  return objects_.size();
}

void Session::End() {
  Objects objects;
  std::shared_ptr<void> data;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    objects.swap(objects_);
    ids_.clear();
    data.swap(data_);
  }
  objects.clear();  // Before the data, which they may use.
}

}  // namespace lwmsg
