#include <gtest/gtest.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "lwmsg/internal/handle_account.h"
#include "lwmsg/internal/spare_memory.h"
#include "runtime/closer.h"
#include "runtime/platform.h"
#include "tests/support/inventory.h"

// What must be done without memory. The allocator is the whole program's, so this stands alone.
namespace {

thread_local int failing = 0;  // So many allocations of this thread from now on.

}  // namespace

// Inlined they look to gcc like a pair that does not match.
[[gnu::noinline]] void* operator new(size_t size) {
  if (failing > 0) {
    --failing;
    throw std::bad_alloc();
  }
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}

namespace lwmsg::test {
namespace {

class NoMemoryTest : public InventoriedTest {};

// Where a blocking call waits: with an exception its caller is gone before its reply comes.
TEST_F(NoMemoryTest, AWaitIsNoException) {
  internal::RefillSpareMemory();
  const OsHandle file = FileWith("x");
  std::array waited = {internal::Waited{file.get(), {true, false}, {}}};
  failing = 1;
  EXPECT_NO_THROW(internal::Wait(waited, 0));
  failing = 0;
  EXPECT_TRUE(waited[0].happened.readable);
}

TEST_F(NoMemoryTest, WhatIsPutOffIsClosedAndNotWaitedForTwice) {
  const OsHandle file = FileWith("x");
  internal::FinishClosing();
  for (int i = 0; i < 100; ++i) {
    std::vector<OsHandle> handles(1);
    handles[0] = *file.Duplicate();
    const OsHandle::Native number = handles[0].get();
    const auto account = std::make_shared<internal::HandleAccount>(0, 1, [] {});
    account->Hold(1);
    failing = INT_MAX;
    internal::CloseLater(std::move(handles), account);
    failing = 0;
    EXPECT_FALSE(IsOpen(number));
    EXPECT_TRUE(account->empty());
  }
  internal::FinishClosing();
}

}  // namespace
}  // namespace lwmsg::test
