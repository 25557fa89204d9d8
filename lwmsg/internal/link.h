#pragma once

#include <memory>

namespace lwmsg::internal {

// A pointer that becomes null when what it points to goes. Follow it on the target's loop only.
template <typename T>
class Link {
 public:
  Link() = default;
  T* get() const { return target_ ? *target_ : nullptr; }
  // Tells targets apart, also when they are gone.
  const void* key() const { return static_cast<const void*>(target_.get()); }

 private:
  template <typename>
  friend class Anchor;
  explicit Link(std::shared_ptr<T*> target) : target_(std::move(target)) {}

  std::shared_ptr<T*> target_;
};

// What a class keeps, as a member, to hand out links to itself.
template <typename T>
class Anchor {
 public:
  explicit Anchor(T* self) : target_(std::make_shared<T*>(self)) {}
  Anchor(const Anchor&) = delete;
  Anchor& operator=(const Anchor&) = delete;
  ~Anchor() { *target_ = nullptr; }

  Link<T> link() const { return Link<T>(target_); }

 private:
  std::shared_ptr<T*> target_;
};

}  // namespace lwmsg::internal
