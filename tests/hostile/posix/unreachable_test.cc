#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <array>

#include "tests/hostile/fixture.h"

// Servers that cannot be reached, or die.
namespace lwmsg::test {
namespace {

Status CallNothing(BlockingClient& client) {
  auto reply = sample::SampleClient(client).Nothing().Sync();
  return reply ? Status() : reply.error();
}

Status CallNothing(const std::string& endpoint) {
  BlockingClient client(endpoint);
  return CallNothing(client);
}

// Runs in a process of its own what returns a text, which is then the parent's. Killed if it is not
// done when this goes.
class Forked {
 public:
  template <typename Function>
  explicit Forked(Function function) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      Say(ends[1], function(ends[1]));
      _exit(0);
    }
    from_child_ = OsHandle(ends[0]);
    close(ends[1]);
  }
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;
  ~Forked() { Kill(); }

  static void Say(int to, const std::string& text) {
    if (write(to, text.data(), text.size()) < 0) _exit(1);
  }
  // What the child said next; nothing after 20 seconds.
  std::string Hear() {
    pollfd readable = {from_child_.get(), POLLIN, 0};
    std::array<char, 4096> text{};
    if (poll(&readable, 1, 20'000) != 1) return "";
    const ssize_t size = read(from_child_.get(), text.data(), text.size());
    return size > 0 ? std::string(text.data(), static_cast<size_t>(size)) : "";
  }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  OsHandle from_child_;
};

TEST_F(UnreachableServerTest, DirectoryIsMissing) {
  EXPECT_TRUE(Says(CallNothing(folder_.Endpoint("no/where")), StatusCode::kUnavailable,
                   {folder_.Path("no/where"), "no such socket"}));
  Server server(loop_);
  EXPECT_TRUE(Says(server.Listen(folder_.Endpoint("no/where")), StatusCode::kNotFound,
                   {folder_.Path("no/where")}));
}

TEST_F(UnreachableServerTest, PathIsTooLong) {
  const std::string path(108, 'x');
  EXPECT_TRUE(Says(CallNothing("unix:" + path), StatusCode::kInvalidArgument,
                   {path, "108 bytes", "at most 107"}));
  Server server(loop_);
  EXPECT_TRUE(Says(server.Listen("unix:" + path), StatusCode::kInvalidArgument,
                   {path, "108 bytes", "at most 107"}));
}

TEST_F(UnreachableServerTest, LongestPathWorks) {
  const std::string name(107 - folder_.Path("").size(), 'x');
  ASSERT_EQ(folder_.Path(name).size(), 107U);
  Server server(loop_);
  ASSERT_TRUE(server.Serve(sample_).ok());
  const Status listening = server.Listen(folder_.Endpoint(name));
  ASSERT_TRUE(listening.ok()) << listening;
  Client client(loop_, folder_.Endpoint(name));
  EXPECT_EQ(Echo(client), Status());
}

TEST_F(UnreachableServerTest, SocketFileThatADeadServerLeft) {
  Serve();
  const std::string left = folder_.Path("left");
  ASSERT_EQ(link(folder_.Path("s").c_str(), left.c_str()), 0);
  bystander_.reset();
  server_.reset();
  EXPECT_TRUE(
      Says(CallNothing("unix:" + left), StatusCode::kUnavailable, {left, "nobody listens there"}));
}

TEST_F(UnreachableServerTest, FileThatIsNoSocket) {
  EXPECT_EQ(CallNothing("unix:/dev/null").code(), StatusCode::kUnavailable);
}

TEST_F(UnreachableServerTest, UserWithoutPermissionIsTold) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  Serve();
  Forked other([this](int) {
    if (setresgid(12345, 12345, 12345) != 0 || setresuid(12345, 12345, 12345) != 0)
      return Status().ToString();
    return CallNothing(folder_.Endpoint()).ToString();
  });
  EXPECT_THAT(other.Hear(), testing::AllOf(testing::HasSubstr("permission denied"),
                                           testing::HasSubstr("may not connect"),
                                           testing::HasSubstr(folder_.Path("s"))));
}

TEST_F(UnreachableServerTest, UserMayNotListenWhereItMayNotWrite) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  Forked other([this](int) {
    if (setresgid(12345, 12345, 12345) != 0 || setresuid(12345, 12345, 12345) != 0)
      return Status().ToString();
    Loop loop;
    Server server(loop);
    return server.Listen(folder_.Endpoint()).ToString();
  });
  EXPECT_THAT(other.Hear(), testing::AllOf(testing::HasSubstr("permission denied"),
                                           testing::HasSubstr(folder_.Path("s"))));
}

TEST_F(UnreachableServerTest, ServerKilledInTheMiddleOfACall) {
  Forked server([this](int to_parent) {
    Loop loop;
    SampleService sample;
    sample.on_keep = [&] { Forked::Say(to_parent, "kept"); };
    Server own(loop);
    if (!own.Serve(sample).ok() || !own.Listen(folder_.Endpoint()).ok()) return "failed";
    Forked::Say(to_parent, "listening");
    loop.Run();
    return "ended";
  });
  ASSERT_EQ(server.Hear(), "listening");
  Client client(loop_, folder_.Endpoint());
  std::optional<Status> status;
  sample::SampleClient(client).Keep().Send([&](auto reply) { status = reply.error(); });
  uv_run(loop_.uv(), UV_RUN_NOWAIT);
  ASSERT_EQ(server.Hear(), "kept");
  server.Kill();
  RunUntil([&] { return status.has_value(); });
  EXPECT_TRUE(Says(status, StatusCode::kUnavailable, {"closed the connection"}));
}

}  // namespace
}  // namespace lwmsg::test
