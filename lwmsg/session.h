#pragma once

#include <lwmsg/lwmsg.capnp.h>

#include <cstdint>
#include <memory>
#include <typeindex>
#include <unordered_map>

#include "lwmsg/limits.h"
#include "lwmsg/status.h"

namespace lwmsg {

// What a service keeps for one peer: the objects that it gave the peer names for (`Handle(T)`).
// Ends, and lets go of the objects, with the association. Ids are never reused.
class Session {
 public:
  explicit Session(uint32_t max_objects) : max_objects_(max_objects) {}

  // Keeps `object` and returns its new id. Error: kResourceExhausted at Limits::max_objects.
  template <typename T>
  Result<uint64_t> Register(uint64_t kind, std::shared_ptr<T> object) {
    return Insert({kind, typeid(T), std::move(object)});
  }

  // The object; the caller's share keeps it alive for as long as it is used. Error: kInvalidHandle
  // if there is none of that id, kind and type.
  template <typename T>
  Result<std::shared_ptr<T>> Resolve(uint64_t kind, uint64_t id) const {
    auto object = Find(kind, typeid(T), id);
    if (!object) return Error(std::move(object).error());
    return std::static_pointer_cast<T>(std::move(*object));
  }

  // Revokes the id. Error: kInvalidHandle if there is none of that kind.
  Status Unregister(uint64_t kind, uint64_t id);

  size_t object_count() const { return objects_.size(); }

 private:
  struct Object {
    uint64_t kind;
    std::type_index type;
    std::shared_ptr<void> object;
  };
  Result<uint64_t> Insert(Object object);
  Result<std::shared_ptr<void>> Find(uint64_t kind, std::type_index type, uint64_t id) const;

  uint32_t max_objects_;
  uint64_t last_id_ = 0;
  std::unordered_map<uint64_t, Object> objects_;
};

}  // namespace lwmsg
