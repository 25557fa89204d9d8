#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "lwmsg/lwmsg.h"
#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"

// What a call costs, counted: allocations, page faults, and those system calls that are named below
// (so no futex), of client and server together. Of the whole process, so this program stands alone.
// Sanitizers count their own: this says nothing there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LWMSG_COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LWMSG_COUNTS 0
#endif
#endif
#ifndef LWMSG_COUNTS
#define LWMSG_COUNTS 1
#endif

namespace {

std::atomic<uint64_t> system_calls{0};
std::atomic<uint64_t> allocations{0};

}  // namespace

#if LWMSG_COUNTS
extern "C" {

// NOLINTBEGIN(readability-identifier-naming,readability-inconsistent-declaration-parameter-name)
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);

// libuv's calls come here, too.
void* malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  ++system_calls;
  return syscall(SYS_sendmsg, socket, message, flags);
}
ssize_t recvmsg(int socket, msghdr* message, int flags) {
  ++system_calls;
  return syscall(SYS_recvmsg, socket, message, flags);
}
ssize_t read(int file, void* to, size_t size) {
  ++system_calls;
  return syscall(SYS_read, file, to, size);
}
ssize_t write(int file, const void* from, size_t size) {
  ++system_calls;
  return syscall(SYS_write, file, from, size);
}
int poll(pollfd* files, nfds_t count, int timeout) {
  ++system_calls;
  return static_cast<int>(syscall(SYS_poll, files, count, timeout));
}
int epoll_ctl(int epoll, int what, int file, epoll_event* event) noexcept {
  ++system_calls;
  return static_cast<int>(syscall(SYS_epoll_ctl, epoll, what, file, event));
}
int epoll_pwait(int epoll, epoll_event* events, int most, int timeout, const sigset_t* mask) {
  ++system_calls;
  return static_cast<int>(syscall(SYS_epoll_pwait, epoll, events, most, timeout, mask, _NSIG / 8));
}
int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  return epoll_pwait(epoll, events, most, timeout, nullptr);
}
// NOLINTEND(readability-identifier-naming,readability-inconsistent-declaration-parameter-name)

}  // extern "C"
#endif

namespace lwmsg::test {
namespace {

constexpr std::chrono::microseconds kNoBusyWait{0};

class CostTest : public InventoriedTest {
 protected:
  void SetUp() override {
#if !LWMSG_COUNTS
    GTEST_SKIP() << "a sanitizer's allocator and calls are counted here, not lwmsg's";
#endif
    std::promise<void> ready;
    thread_ = std::thread([this, &ready] {
      Loop loop;
      loop.SetBusyWait(kNoBusyWait);
      SampleService sample;
      Server server(loop, {.limits = LargeMessages()});
      EXPECT_TRUE(server.Serve(sample).ok());
      EXPECT_TRUE(server.Listen(folder_.Endpoint()).ok());
      loop_ = &loop;
      ready.set_value();
      loop.Run();
    });
    ready.get_future().wait();
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    loop_->Stop();
    thread_.join();
  }

  static Limits LargeMessages() {
    Limits limits;
    limits.max_frame_bytes = 2 << 20;
    return limits;
  }
  BlockingClient NewBlockingClient() const {
    return BlockingClient(folder_.Endpoint(),
                          {.limits = LargeMessages(), .busy_wait = kNoBusyWait});
  }

  struct Cost {
    double system_calls;
    double allocations;
    double page_faults;
  };
  // Of one of the `calls` that `run` makes.
  template <typename Run>
  static Cost CostOf(int calls, Run run) {
    const uint64_t calls_before = system_calls;
    const uint64_t allocations_before = allocations;
    const int64_t faults_before = PageFaults();
    run();
    return {static_cast<double>(system_calls - calls_before) / calls,
            static_cast<double>(allocations - allocations_before) / calls,
            static_cast<double>(PageFaults() - faults_before) / calls};
  }
  static int64_t PageFaults() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt + usage.ru_majflt;
  }

  TemporaryFolder folder_;
  Loop* loop_ = nullptr;
  std::thread thread_;
};

void Echo(sample::SampleClient& sample, int times) {
  for (int i = 0; i < times; ++i) {
    auto echo = sample.Echo();
    echo->setText("thirty-two bytes of nothing much");
    ASSERT_TRUE(echo.Sync());
  }
}

void Blob(sample::SampleClient& sample, const std::string& data, int times) {
  const size_t bytes = data.size();
  for (int i = 0; i < times; ++i) {
    auto blob = sample.Blob();
    blob->setData(capnp::Data::Reader(reinterpret_cast<const kj::byte*>(data.data()), bytes));
    blob->setSize(static_cast<uint32_t>(bytes));
    auto reply = blob.Sync();
    ASSERT_TRUE(reply) << reply.error();
    ASSERT_EQ(reply->getData().size(), bytes);
  }
}

int64_t Threads() {
  const auto tasks = std::filesystem::directory_iterator("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

// The kernel shows a thread for a while after it was joined. False after 20 seconds.
bool AwaitThreads(int64_t count) {
  const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (Threads() != count && std::chrono::steady_clock::now() < late) std::this_thread::yield();
  return Threads() == count;
}

TEST_F(CostTest, IdleServerHasNoThreadButItsLoops) { EXPECT_EQ(Threads(), 2); }

TEST_F(CostTest, EachFurtherLoopHasOneThreadWhileTheServerLives) {
  ASSERT_TRUE(AwaitThreads(2));
  Loop loop;
  {
    ServerOptions options;
    options.loops = 4;
    const Server server(loop, std::move(options));
    EXPECT_EQ(Threads(), 5);
  }
  EXPECT_TRUE(AwaitThreads(2));
}

TEST_F(CostTest, LargeCallTakesNoFreshMemory) {
  BlockingClient client = NewBlockingClient();
  sample::SampleClient sample(client);
  for (const size_t bytes : {1 << 10, 64 << 10, 1 << 20}) {
    const std::string data(bytes, 'x');
    Blob(sample, data, 100);
    const Cost cost = CostOf(100, [&] { Blob(sample, data, 100); });
    // More does not fit in the kernel's buffer, and to wait for room takes some.
    if (bytes <= 64 << 10) {
      EXPECT_LE(cost.allocations, 0.01) << bytes;
    }
    EXPECT_LE(cost.page_faults, 0.01) << bytes;
  }
}

TEST_F(CostTest, BlockingCallTakesFiveSystemCalls) {
  BlockingClient client = NewBlockingClient();
  sample::SampleClient sample(client);
  Echo(sample, 100);
  const Cost cost = CostOf(1000, [&] { Echo(sample, 1000); });
  // Client: sendmsg, recvmsg. Server: epoll_wait, recvmsg, sendmsg.
  EXPECT_LE(cost.system_calls, 5.01);
  EXPECT_LE(cost.allocations, 0.01);
  EXPECT_LE(cost.page_faults, 0.01);
}

TEST_F(CostTest, OneReadAndOneWriteServeManyCalls) {
  constexpr int kOutstanding = 64;
  constexpr int kCalls = 20'000;
  Loop loop;
  loop.SetBusyWait(kNoBusyWait);
  Client client(loop, folder_.Endpoint());
  sample::SampleClient sample(client);
  int left = 0;
  int answered = 0;
  std::function<void()> call = [&] {
    if (left == 0) return;
    --left;
    auto echo = sample.Echo();
    echo->setText("thirty-two bytes of nothing much");
    echo.Send([&](auto reply) {
      EXPECT_TRUE(reply);
      ++answered;
      call();
    });
  };
  const auto run = [&](int calls) {
    left = calls;
    answered = 0;
    for (int i = 0; i < kOutstanding; ++i) call();
    EXPECT_TRUE(RunLoopUntil(loop, [&] { return answered == calls; }));
  };
  run(1000);
  const Cost cost = CostOf(kCalls, [&] { run(kCalls); });
  EXPECT_LE(cost.system_calls, 0.10);
  EXPECT_LE(cost.allocations, 0.01);
  EXPECT_LE(cost.page_faults, 0.01);
}

}  // namespace
}  // namespace lwmsg::test
