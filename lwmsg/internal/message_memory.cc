#include "lwmsg/internal/message_memory.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <new>

#include "lwmsg/internal/block_pool.h"
#include "lwmsg/internal/repeatable.h"

namespace lwmsg::internal {
namespace {

using capnp::word;

// A burst of calls uses that many; what is more goes back to the system.
constexpr size_t kSmallBlocks = 256;
using SmallWords = BlockPool<kSmallWords * sizeof(word), kSmallBlocks>;

// Sizes of larger blocks: powers of two with something on top, as payloads are of such sizes and
// have envelopes.
constexpr size_t kLeastLarge = 512;
constexpr size_t kMostLarge = size_t{128} * 1024;
constexpr size_t kOnTop = 512;

// How much a block for `words` has; 0 if such blocks are not kept.
size_t LargeSize(size_t words) {
  if (words > kMostLarge + kOnTop) return 0;
  return std::bit_ceil(std::max(words, kLeastLarge + kOnTop) - kOnTop) + kOnTop;
}

// Blocks that a thread used, the latest last. Trivial, as BlockPool's.
struct Kept {
  static constexpr size_t kMost = 256;
  static constexpr size_t kMostWords = size_t{512} * 1024;

  struct Block {
    void* memory;
    size_t words;
  };
  std::array<Block, kMost> blocks;
  size_t count;
  size_t words;
  bool thread_ends;

  // Null if there is none of this size.
  void* Take(size_t size) {
    for (size_t i = count; i-- > 0;) {
      if (blocks[i].words != size) continue;
      void* memory = blocks[i].memory;
      std::move(blocks.begin() + i + 1, blocks.begin() + count, blocks.begin() + i);
      --count;
      words -= size;
      return memory;
    }
    return nullptr;
  }
  // False if it is not kept.
  bool Give(void* memory, size_t size) {
    if (!kPoolsBlocks || thread_ends) return false;
    if (count == kMost || size > kMostWords - words) return false;
    blocks[count++] = {memory, size};
    words += size;
    return true;
  }
};

// Zeroed ones, and others.
struct OfThread {
  Kept zeroed;
  Kept used;
};

OfThread& Pools() {
  static thread_local OfThread pools{};
  return pools;
}

struct Cleaner {
  void Use() {}
  ~Cleaner() {
    for (Kept* kept : {&Pools().zeroed, &Pools().used}) {
      kept->thread_ends = true;
      while (kept->count != 0) std::free(kept->blocks[--kept->count].memory);
    }
  }
};

void GiveTo(Kept& kept, void* memory, size_t size) {
  static thread_local Cleaner cleaner;
  cleaner.Use();
  if (!kept.Give(memory, size)) std::free(memory);
}

void* Checked(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Private, as its base has no virtual destructor.
class WordsDisposer final : private kj::ArrayDisposer {
 public:
  static const kj::ArrayDisposer& Instance() {
    static const WordsDisposer disposer;
    return disposer;
  }

 private:
  void disposeImpl(void* first, size_t /*element_size*/, size_t count, size_t /*capacity*/,
                   void (* /*destroy*/)(void*)) const override {
    if (count <= kSmallWords) return SmallWords::Give(first);
    GiveTo(Pools().used, first, LargeSize(count));
  }
};

// What the thread's messages took, by kind; those that share a place take turns.
struct Size {
  MessageSizes::Kind kind;
  size_t words;
};
using Sizes = std::array<Size, 64>;
Sizes& AllSizes() {
  static thread_local Sizes sizes{};
  return sizes;
}
Size& SizeOf(MessageSizes::Kind kind) {
  Sizes& sizes = AllSizes();
  // Interface ids are random numbers.
  return sizes[(kind ^ kind >> 32) % sizes.size()];
}

}  // namespace

kj::Array<word> NewWords(size_t count) {
  if (count > kMostLarge + kOnTop) return kj::heapArray<word>(count);
  void* memory = nullptr;
  if (count <= kSmallWords) {
    memory = SmallWords::Take();
  } else {
    const size_t size = LargeSize(count);
    memory = Pools().used.Take(size);
    if (memory == nullptr) memory = Checked(std::malloc(size * sizeof(word)));
  }
  return {static_cast<word*>(memory), count, WordsDisposer::Instance()};
}

ZeroedBlock::ZeroedBlock(size_t words) {
  const size_t large = words <= kSmallWords ? 0 : LargeSize(words + kHeaderRoomWords);
  count_ = large != 0 ? large : kSmallWords + kHeaderRoomWords;
  void* memory = Pools().zeroed.Take(count_);
  if (memory == nullptr) memory = Checked(std::calloc(count_, sizeof(word)));
  words_ = static_cast<word*>(memory);
}

ZeroedBlock::~ZeroedBlock() { GiveTo(Pools().zeroed, words_, count_); }

size_t MessageSizes::Expected(Kind kind) {
  const Size& size = SizeOf(kind);
  return size.kind == kind ? size.words : 0;
}

void MessageSizes::Note(Kind kind, size_t words) {
  Size& size = SizeOf(kind);
  const size_t before = size.kind == kind ? size.words : 0;
  // Sizes vary: a large block for a small message costs little, two pieces for a large one more.
  size = {kind, std::max(words, before - before / 8)};
}

void ForgetMessageSizes() { AllSizes() = {}; }

}  // namespace lwmsg::internal
