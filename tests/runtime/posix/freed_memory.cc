#include "tests/runtime/freed_memory.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LWMSG_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LWMSG_SANITIZED 1
#endif
#endif

#ifdef LWMSG_SANITIZED
// As <sanitizer/allocator_interface.h>, which not every compiler that has them brings.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" size_t __sanitizer_get_allocated_size(const volatile void* block);
extern "C" int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void* block, size_t size),
    void (*on_free)(const volatile void* block));
// NOLINTEND(bugprone-reserved-identifier)
#else
#include <malloc.h>
#endif

#ifdef LWMSG_SANITIZED

namespace {

const int kInstalled = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t) {},
    [](const volatile void* block) {
      lwmsg::test::OnFree(const_cast<void*>(block), __sanitizer_get_allocated_size(block));
    });

}  // namespace

#else

// In place of the C library's, also for the libraries that are used; operator delete comes here
// too.
extern "C" void __libc_free(void* block);  // NOLINT(bugprone-reserved-identifier): its name.
extern "C" void free(void* block) noexcept {
  lwmsg::test::OnFree(block, malloc_usable_size(block));
  __libc_free(block);
}

#endif
