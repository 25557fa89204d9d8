#include "tests/runtime/freed_memory.h"

#include <atomic>
#include <cstring>

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

namespace {

std::atomic<const std::string_view*> wanted;
std::atomic<size_t> found;

size_t BlockSize(void* block) {
#ifdef LWMSG_SANITIZED
  return __sanitizer_get_allocated_size(block);
#else
  return malloc_usable_size(block);
#endif
}

// memmem allocates nothing and is quick.
void OnFree(void* block) {
  const std::string_view* secret = wanted.load();
  if (secret == nullptr || block == nullptr) return;
  const size_t size = BlockSize(block);
  if (memmem(block, size, secret->data(), secret->size()) == nullptr) return;
  ++found;
  // Else the next owner of this memory would be blamed too.
  std::memset(block, 0, size);
  asm volatile("" : : "r"(block) : "memory");
}

}  // namespace

#ifdef LWMSG_SANITIZED

namespace {

const int kInstalled = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t) {},
    [](const volatile void* block) { OnFree(const_cast<void*>(block)); });

}  // namespace

#else

// In place of the C library's, also for the libraries that are used; operator delete comes here
// too.
extern "C" void __libc_free(void* block);  // NOLINT(bugprone-reserved-identifier): its name.
extern "C" void free(void* block) noexcept {
  OnFree(block);
  __libc_free(block);
}

#endif

namespace lwmsg::test {

static std::string_view secret_text;

FreedMemory::FreedMemory(std::string_view secret) {
  secret_text = secret;
  found = 0;
  wanted = &secret_text;
}

FreedMemory::~FreedMemory() { wanted = nullptr; }

size_t FreedMemory::leaks() const { return found; }

}  // namespace lwmsg::test
