#include "runtime/thread_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/support/inventory.h"

// Who runs when on the threads for handlers that block.
namespace lwmsg::test {
namespace {

using internal::ThreadPool;
using ::testing::ElementsAre;

Token User(uint32_t euid) {
  TokenFacts facts;
  facts.euid = euid;
  return Token(std::move(facts));
}

class ThreadPoolTest : public InventoriedTest {
 protected:
  // Until Go, the only thread is busy.
  void Block() {
    pool_.Run(Token(), [this] {
      begun_.set_value();
      go_.get_future().wait();
    });
    begun_.get_future().wait();
  }
  void Go() { go_.set_value(); }
  void WaitForAll(const Token& last) {
    std::promise<void> done;
    pool_.Run(last, [&done] { done.set_value(); });
    done.get_future().wait();
  }

  std::promise<void> begun_;
  std::promise<void> go_;
  ThreadPool pool_{1};
};

TEST_F(ThreadPoolTest, UsersTakeTurns) {
  const Token alice = User(1000);
  const Token bob = User(1001);
  Block();
  std::vector<std::string> order;
  for (const char* name : {"alice 1", "alice 2", "alice 3"}) {
    pool_.Run(alice, [&order, name] { order.emplace_back(name); });
  }
  pool_.Run(bob, [&order] { order.emplace_back("bob 1"); });
  Go();
  WaitForAll(alice);
  EXPECT_THAT(order, ElementsAre("alice 1", "bob 1", "alice 2", "alice 3"));
}

TEST_F(ThreadPoolTest, AUserWhoWaitsWithManyLeavesRoomForOthers) {
  const Token alice = User(1000);
  const Token bob = User(1001);
  Block();
  size_t waiting = 0;
  while (!pool_.busy(alice)) {
    pool_.Run(alice, [] {});
    ASSERT_LT(++waiting, 10'000U);
  }
  EXPECT_EQ(waiting, 512U);
  EXPECT_FALSE(pool_.busy(bob));
  Go();
  WaitForAll(alice);
  EXPECT_FALSE(pool_.busy(alice));
}

}  // namespace
}  // namespace lwmsg::test
