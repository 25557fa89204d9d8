#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "lwmsg/internal/block_pool.h"

namespace lwmsg {

template <typename Signature>
class UniqueFunction;

namespace internal {

// Each call makes and drops some.
constexpr size_t kPooledFunctions = 256;

}  // namespace internal

// std::function for callables that can only be moved, such as a lambda that owns a Call. What is
// trivial and no larger than two pointers, such as a lambda that knows only `this`, takes no
// memory. Calling an empty one is a bug of the caller.
template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
             std::is_invocable_r_v<R, F&, Args...>)
  UniqueFunction(F&& function)  // NOLINT(google-explicit-constructor): as std::function.
      : operations_(&kOperations<std::decay_t<F>>) {
    if constexpr (kFits<std::decay_t<F>>) {
      new (place_.data()) std::decay_t<F>(std::forward<F>(function));
    } else {
      using Box = Boxed<std::decay_t<F>>;
      new (place_.data()) Box*(new Box(std::forward<F>(function)));
    }
  }
  UniqueFunction(UniqueFunction&& other) noexcept
      : operations_(std::exchange(other.operations_, nullptr)), place_(other.place_) {}
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this == &other) return *this;
    // What goes may own `other`, or look at this.
    const UniqueFunction old(std::move(*this));
    operations_ = std::exchange(other.operations_, nullptr);
    place_ = other.place_;
    return *this;
  }
  ~UniqueFunction() {
    if (operations_ != nullptr && operations_->destroy != nullptr) {
      operations_->destroy(place_.data());
    }
  }

  explicit operator bool() const { return operations_ != nullptr; }
  R operator()(Args... args) {
    return operations_->invoke(place_.data(), std::forward<Args>(args)...);
  }

 private:
  // Where the callable is, or the pointer to its box.
  using Place = std::array<std::byte, 2 * sizeof(void*)>;
  struct Operations {
    R (*invoke)(std::byte* place, Args... args);
    void (*destroy)(std::byte* place);  // Null if there is nothing to do.
  };
  template <typename F>
  struct Boxed final : internal::Pooled<Boxed<F>, internal::kPooledFunctions> {
    explicit Boxed(F f) : function(std::move(f)) {}
    F function;
  };

  template <typename F>
  static constexpr bool kFits =
      std::is_trivially_copyable_v<F> && sizeof(F) <= sizeof(Place) && alignof(F) <= alignof(void*);

  template <typename F>
  static F& Function(std::byte* place) {
    if constexpr (kFits<F>) {
      return *std::launder(reinterpret_cast<F*>(place));
    } else {
      return (*std::launder(reinterpret_cast<Boxed<F>**>(place)))->function;
    }
  }
  template <typename F>
  static R Invoke(std::byte* place, Args... args) {
    return Function<F>(place)(std::forward<Args>(args)...);
  }
  template <typename F>
  static void Destroy(std::byte* place) {
    delete *std::launder(reinterpret_cast<Boxed<F>**>(place));
  }
  template <typename F>
  static constexpr Operations kOperations = {&Invoke<F>, kFits<F> ? nullptr : &Destroy<F>};

  const Operations* operations_ = nullptr;
  alignas(void*) Place place_{};
};

namespace internal {

// For a function that may run again while it runs, or may destroy its owner: whoever runs it holds
// a share. Null if `function` is empty.
template <typename Signature>
std::shared_ptr<UniqueFunction<Signature>> Share(UniqueFunction<Signature> function) {
  if (!function) return nullptr;
  return std::make_shared<UniqueFunction<Signature>>(std::move(function));
}

}  // namespace internal

}  // namespace lwmsg
