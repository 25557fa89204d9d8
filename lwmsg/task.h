#pragma once

#include <coroutine>
#include <exception>
#include <utility>

#include "lwmsg/call.h"

namespace lwmsg {

// The return type of a coroutine that runs on its own: `Task Greet(Client& client) { ... co_await
// ...
// }`. Starts when it is called, ends by itself; nobody waits for it. It must not let an exception
// out: that terminates the program.
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

namespace internal {

// The promise of a handler that is a coroutine. Its call, moved into the coroutine's frame, answers
// for what it throws.
template <typename Call>
class HandlerPromise {
 public:
  template <typename Service>
  HandlerPromise(Service& /*service*/, Call& call) : call_(&call) {}

  void get_return_object() {}
  std::suspend_never initial_suspend() noexcept { return {}; }
  std::suspend_never final_suspend() noexcept { return {}; }
  void return_void() {}
  void unhandled_exception() { call_->FailWithCurrentException(); }

 private:
  Call* call_;
};

}  // namespace internal
}  // namespace lwmsg

// A method `void Open(OpenCall call)` of a service may use co_await.
template <typename Service, typename P, typename R>
struct std::coroutine_traits<void, Service&, lwmsg::Call<P, R>> {
  using promise_type = lwmsg::internal::HandlerPromise<lwmsg::Call<P, R>>;
};
template <typename Service, typename P, typename R>
struct std::coroutine_traits<void, Service&, lwmsg::StreamCall<P, R>> {
  using promise_type = lwmsg::internal::HandlerPromise<lwmsg::StreamCall<P, R>>;
};
