#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace lwmsg::internal {

// Under AddressSanitizer every block comes from, and goes to, the allocator that it watches.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPoolsBlocks = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kPoolsBlocks = false;
#else
constexpr bool kPoolsBlocks = true;
#endif
#else
constexpr bool kPoolsBlocks = true;
#endif

// Blocks of one size that a thread used and will use again, so that a call needs no allocation. May
// be given back on another thread than they were taken on. Whoever gives a block back has wiped
// what was secret in it.
template <size_t kBytes, size_t kMost>
class BlockPool {
 public:
  static void* Take() {
    Kept& kept = OfThread();
    if (!kPoolsBlocks || kept.count == 0) return ::operator new(kBytes);
    return kept.blocks[--kept.count];
  }
  static void Give(void* block) {
    Kept& kept = OfThread();
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDelete): takes the size for the block's address.
    if (!kPoolsBlocks || kept.count == kMost || kept.thread_ends) return ::operator delete(block);
    static thread_local Cleaner cleaner;
    cleaner.Use();
    kept.blocks[kept.count++] = block;
  }

 private:
  // Trivial, so that it is there also for objects that go after the thread's own.
  struct Kept {
    std::array<void*, kMost> blocks;
    size_t count;
    bool thread_ends;
  };
  struct Cleaner {
    void Use() {}
    ~Cleaner() {
      Kept& kept = OfThread();
      kept.thread_ends = true;
      while (kept.count != 0) ::operator delete(kept.blocks[--kept.count]);
    }
  };

  static Kept& OfThread() {
    static thread_local Kept kept{};
    return kept;
  }
};

// For a type whose objects come and go with every call: `class T : public Pooled<T, 64>`.
template <typename T, size_t kMost>
class Pooled {
 public:
  static void* operator new(size_t /*size*/) { return Blocks::Take(); }
  static void operator delete(void* block) { Blocks::Give(block); }
  // For a type that wants more alignment than blocks have.
  static void* operator new(size_t size, std::align_val_t alignment) {
    return ::operator new(size, alignment);
  }
  static void operator delete(void* block, std::align_val_t alignment) {
    ::operator delete(block, alignment);
  }

 private:
  // Types of about the same size share their blocks.
  struct Blocks {
    static constexpr size_t kBytes = (sizeof(T) + 63) / 64 * 64;
    static void* Take() { return BlockPool<kBytes, kMost>::Take(); }
    static void Give(void* block) { BlockPool<kBytes, kMost>::Give(block); }
  };

  friend T;
  Pooled() = default;
};

}  // namespace lwmsg::internal
