#pragma once

#include <memory>
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

// std::function for callables that can only be moved, such as a lambda that owns a Call. Calling an
// empty one is a bug of the caller.
template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
             std::is_invocable_r_v<R, F&, Args...>)
  UniqueFunction(F&& function)  // NOLINT(google-explicit-constructor): as std::function.
      : target_(std::make_unique<Target<std::decay_t<F>>>(std::forward<F>(function))) {}

  explicit operator bool() const { return target_ != nullptr; }
  R operator()(Args... args) { return target_->Invoke(std::forward<Args>(args)...); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual R Invoke(Args... args) = 0;
  };
  template <typename F>
  struct Target final : Base, internal::Pooled<Target<F>, internal::kPooledFunctions> {
    explicit Target(F f) : function(std::move(f)) {}
    R Invoke(Args... args) override { return function(std::forward<Args>(args)...); }
    F function;
  };

  std::unique_ptr<Base> target_;
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
