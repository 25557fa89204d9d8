#include <pthread.h>
#include <sys/socket.h>

#include "tests/hostile/fixture.h"

// What a peer can make a thread's stack hold.
namespace lwmsg::test {
namespace {

class SmallStackTest : public HostilePeerTest {
 protected:
  // Runs the test on a thread that has this stack.
  template <typename Function>
  static void RunWithStack(size_t bytes, Function function) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, bytes), 0);
    pthread_t thread{};
    const auto run = [](void* argument) -> void* {
      (*static_cast<Function*>(argument))();
      return nullptr;
    };
    ASSERT_EQ(pthread_create(&thread, &attributes, run, &function), 0);
    pthread_attr_destroy(&attributes);
    pthread_join(thread, nullptr);
  }
};

TEST_F(SmallStackTest, T10_NestingOfAHundredThousandIsRefused) {
  Limits limits;
  limits.max_frame_bytes = 8U << 20;
  RunWithStack(size_t{256} << 10, [&] {
    Serve(limits);
    RawPeer peer = ConnectAndGreet();
    std::string frame = CollectFrame(9, std::vector<uint32_t>(100'000, 1));
    RunUntil([&] {
      const ssize_t size =
          send(peer.end().get(), frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size > 0) frame.erase(0, static_cast<size_t>(size));
      return frame.empty();
    });
    EXPECT_TRUE(Says(AnswerTo(peer, 9), StatusCode::kMalformed,
                     {"request of Sample.collect", "deeply-nested", "Limits::max_nesting"}));
    EXPECT_EQ(Echo(peer, 10), Status());
  });
}

}  // namespace
}  // namespace lwmsg::test
