#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "lwmsg/channel.h"

namespace lwmsg {

namespace internal {

// One copy of the name of a peer's object: tells the peer when it is let go of. Any thread.
class ObjectCopy {
 public:
  ObjectCopy(LoopRef<Association> association, uint64_t id)
      : association_(std::move(association)), id_(id) {}
  ObjectCopy(const ObjectCopy&) = delete;
  ObjectCopy& operator=(const ObjectCopy&) = delete;
  ~ObjectCopy();

 private:
  LoopRef<Association> association_;
  uint64_t id_;
};

}  // namespace internal

// The name of an object of the peer's session, as it came in a `Handle(T)` field; T is what the
// schema says there, an interface or a struct. Copies share the name; when the last is gone, the
// peer is told that this side let go of it. Good for as long as the session is, over the
// association that it came by and, with On, over every other of the session. A value, usable on any
// thread.
template <typename T>
class Handle {
 public:
  // No object.
  Handle() = default;
  // An object over `channel`, whose name `copy` keeps.
  Handle(const Channel& channel, uint64_t id, std::shared_ptr<internal::ObjectCopy> copy)
      : channel_(channel.WithObject(id, std::move(copy))) {}

  explicit operator bool() const { return id() != 0; }
  uint64_t id() const { return channel_.object(); }
  // Where its methods are called: `FileClient file(handle);`
  const Channel& channel() const { return channel_; }
  // The same object, to be called by way of another client of the session. Does not keep the name:
  // this Handle, or a copy of it, does.
  Handle On(const Channel& other) const { return Handle(other, id(), nullptr); }

  friend bool operator==(const Handle& a, const Handle& b) { return a.id() == b.id(); }

 private:
  Channel channel_;
};

}  // namespace lwmsg
