#pragma once

#include <lwmsg/lwmsg.capnp.h>

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "lwmsg/internal/received_handles.h"
#include "lwmsg/os_handle.h"
#include "lwmsg/session.h"
#include "lwmsg/shared_memory.h"
#include "lwmsg/status.h"

namespace lwmsg {

template <typename T>
class Handle;
class Association;
class Channel;

namespace internal {

class IncomingMemories;
struct IncomingMemory;
class IncomingObjects;
class ObjectCopy;

// The Object of a `Handle(Object)`, by Cap'n Proto's generated type, reader or builder of it.
template <typename Object>
Object ObjectOf(const schema::Handle<Object>* /*type*/);
template <typename HandleReader>
using ObjectRead = decltype(ObjectOf(static_cast<typename HandleReader::Reads*>(nullptr)));
template <typename HandleBuilder>
using ObjectBuilt = decltype(ObjectOf(static_cast<typename HandleBuilder::Builds*>(nullptr)));

}  // namespace internal

// The OS handles of a message that is being filled, and the names of session objects that it
// brings. Owned by the message.
class OutgoingHandles {
 public:
  OutgoingHandles() = default;
  OutgoingHandles(const OutgoingHandles&) = delete;
  OutgoingHandles& operator=(const OutgoingHandles&) = delete;
  // What was not sent was not named.
  ~OutgoingHandles();

  // Gives `handle` to the message and names it in `slot`; one that `slot` named before is closed.
  // An invalid `handle` leaves an empty slot saying "no handle"; a slot that named one cannot be
  // emptied again: such a message fails with kInvalidArgument when it is sent.
  void Put(schema::OsHandle::Builder slot, OsHandle handle);

  // Names an object of the peer, which this side was given, in `field`.
  template <typename Object>
  void Put(typename schema::Handle<Object>::Builder field, const Handle<Object>& handle) {
    field.setId(handle.id());
    field.setReceivers(true);
  }
  // Registers `object`, one of this side, in the session and names it in `field`, a `Handle(T)`,
  // under the name that it has already if there is one. If it is a service, the peer can call its
  // methods. Error: kResourceExhausted at Limits::max_objects, kUnavailable if there is no session.
  template <typename T, typename HandleBuilder>
  Status Register(HandleBuilder field, const std::shared_ptr<T>& object) {
    if (session_ == nullptr) return NoSession();
    auto id = session_->Register(capnp::typeId<internal::ObjectBuilt<HandleBuilder>>(), object);
    if (!id) return std::move(id).error();
    named_.push_back(*id);
    field.setId(*id);
    field.setReceivers(false);
    return Status();
  }

  // Gives `memory` to the message, which names it in `field`.
  void Put(schema::SharedMemory::Builder field, WritableMemory memory);

  // What `field` was given. Its pool's places are taken out when the message is sent.
  struct PlacedMemory {
    schema::SharedMemory::Builder field;
    WritableMemory memory;
  };
  std::vector<PlacedMemory>& memories() { return memories_; }
  std::span<OsHandle> all() { return handles_; }
  size_t size() const { return handles_.size(); }
  void set_session(std::shared_ptr<Session> session) { session_ = std::move(session); }
  // The message is on its way: the peer has the names.
  void Sent() { named_.clear(); }

 private:
  static Status NoSession();

  std::vector<OsHandle> handles_;
  std::vector<PlacedMemory> memories_;
  std::shared_ptr<Session> session_;
  std::vector<uint64_t> named_;  // One entry for each place.
};

// The OS handles of a received message, and the names of the peer's objects that it brought. Those
// that nobody takes are closed, and let go of, with the message.
class IncomingHandles {
 public:
  explicit IncomingHandles(internal::ReceivedHandles handles);
  IncomingHandles(const IncomingHandles&) = delete;
  IncomingHandles& operator=(const IncomingHandles&) = delete;
  ~IncomingHandles();

  // The handle that `slot` names, now the caller's. Error: kNotFound if the slot says "no handle",
  // kFailedPrecondition if it was taken before, kMalformed if the message has no such handle.
  Result<OsHandle> Take(schema::OsHandle::Reader slot);

  // The peer's object that `field` names. Error: kNotFound if it says "no object",
  // kFailedPrecondition if it was taken before, kInvalidHandle if it names an object of this side.
  template <typename HandleReader>
  Result<Handle<internal::ObjectRead<HandleReader>>> Take(HandleReader field) {
    auto copy = TakeCopy(field.getId(), field.getReceivers());
    if (!copy) return Error(std::move(copy).error());
    return Handle<internal::ObjectRead<HandleReader>>(channel(), field.getId(), std::move(*copy));
  }

  // The bytes that `field` shares. Error: kNotFound if there are none, kFailedPrecondition if they
  // were taken before, kMalformed if the memory is not as it must be, kResourceExhausted at
  // Limits::max_shared_bytes.
  Result<SharedMemory> Take(schema::SharedMemory::Reader field);

  std::span<const OsHandle> all() const { return handles_.all(); }
  size_t size() const { return handles_.size(); }
  // Where those that are still here are counted; null: nowhere.
  const std::shared_ptr<internal::HandleAccount>& account() const { return handles_.account(); }
  // The names that the message brought, found when it was checked, and where they are let go of.
  void SetObjects(std::vector<uint64_t> ids, Association& association);
  // Where the pools' places are that the message brought, found when it was checked.
  void SetMemories(std::vector<internal::IncomingMemory> memories, size_t max_shared_bytes);

 private:
  Result<std::shared_ptr<internal::ObjectCopy>> TakeCopy(uint64_t id, bool receivers);
  const Channel& channel() const;

  internal::ReceivedHandles handles_;
  std::unique_ptr<internal::IncomingObjects> objects_;    // Null if there are none.
  std::unique_ptr<internal::IncomingMemories> memories_;  // The same.
};

}  // namespace lwmsg
