#pragma once

#include <lwmsg/lwmsg.capnp.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <type_traits>
#include <typeindex>
#include <unordered_map>
#include <utility>

#include "lwmsg/limits.h"
#include "lwmsg/service.h"
#include "lwmsg/status.h"
#include "lwmsg/token.h"

namespace lwmsg {

// A number that cannot be guessed, never 0. From the kernel.
uint64_t RandomId();

// What one side keeps for one peer over all associations of a session: the objects that it gave
// the peer names for (`Handle(T)`), and the data that the service's session constructor made.
// Ends with its last association: lets go of the objects, then of the data. Usable on any thread.
class Session {
 public:
  explicit Session(uint32_t max_objects) : max_objects_(max_objects) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { End(); }

  // Unlike that of any other session, also of another run of the program. Never 0.
  uint64_t id() const;

  // Names `object` for one more place in one message, under the name that it has already if there
  // is one. Error: kResourceExhausted at Limits::max_objects, kUnavailable once the session has
  // ended.
  template <typename T>
  Result<uint64_t> Register(uint64_t kind, const std::shared_ptr<T>& object) {
    Service* service = nullptr;
    if constexpr (std::is_base_of_v<Service, T>) service = object.get();
    return Insert({kind, typeid(T), object, service, 0});
  }

  // The object; the caller's share keeps it alive for as long as it is used. Error: kInvalidHandle
  // if there is none of that id, kind and type.
  template <typename T>
  Result<std::shared_ptr<T>> Resolve(uint64_t kind, uint64_t id) const {
    auto object = Find(kind, typeid(T), id);
    if (!object) return Error(std::move(object).error());
    return std::static_pointer_cast<T>(std::move(*object));
  }
  // The object to call methods of. Error: kInvalidHandle if there is none with methods.
  Result<std::shared_ptr<Service>> FindService(uint64_t id) const;

  // Takes the name back: it never resolves again. Error: kInvalidHandle if there is none of that
  // kind.
  Status Unregister(uint64_t kind, uint64_t id);
  // The peer, or a message that was not sent, let go of `copies`; with the last one the name ends.
  // Error: kMalformed if there were not that many. A name that has ended is ignored.
  Status Release(uint64_t id, uint32_t copies);

  size_t object_count() const;

  // What NewSession::Accept was given; null if it was nothing or no T.
  template <typename T>
  std::shared_ptr<T> data() const {
    const std::lock_guard lock(mutex_);
    if (data_type_ != std::type_index(typeid(T))) return nullptr;
    return std::static_pointer_cast<T>(data_);
  }
  template <typename T>
  void set_data(std::shared_ptr<T> data) {
    const std::lock_guard lock(mutex_);
    data_type_ = typeid(T);
    data_ = std::move(data);
  }

  // Lets go of all objects, then of the data. Nothing can be registered any more.
  void End();

 private:
  struct Object {
    uint64_t kind;
    std::type_index type;
    std::shared_ptr<void> object;
    Service* service;  // Null if it has no methods.
    uint32_t copies;
  };
  using Objects = std::unordered_map<uint64_t, Object>;
  // Object ids begin anywhere, so that a name of an earlier session, perhaps of a server that was
  // started again, is no name in this one.
  struct Table {
    uint64_t last_id = RandomId() >> 1;
    Objects objects;
    std::map<std::pair<void*, uint64_t>, uint64_t> ids;  // By object and kind.
  };

  Result<uint64_t> Insert(Object object);
  Result<std::shared_ptr<void>> Find(uint64_t kind, std::type_index type, uint64_t id) const;
  // Null if there is none of that id.
  Object* FindAny(uint64_t id) const;
  // Takes an object out of the table; its destructor is user code and runs after the lock.
  std::shared_ptr<void> Erase(uint64_t id);

  mutable std::mutex mutex_;  // Guards all that follows.
  mutable uint64_t id_ = 0;   // Until it is asked for.
  const uint32_t max_objects_;
  bool ended_ = false;
  std::unique_ptr<Table> table_;  // Null until there was an object.
  std::type_index data_type_ = typeid(void);
  std::shared_ptr<void> data_;
};

}  // namespace lwmsg
