#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <ctime>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>

#include "runtime/posix/socket_address.h"
#include "runtime/uv_loop.h"
#include "tests/multiprocess/posix/child.h"
#include "tests/multiprocess/posix/fixture.h"

// Whose a name is, and the way to it.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class NamesTest : public MultiprocessTest {
 protected:
  static Status Call(const std::string& endpoint, ClientOptions options) {
    BlockingClient client(endpoint, std::move(options));
    auto reply = sample::SampleClient(client).Nothing().Sync();
    return reply ? Status() : reply.error();
  }
  static ClientOptions AnyFolder() {
    ClientOptions options;
    options.any_folder = true;
    return options;
  }
  std::string Folder(const std::string& name, mode_t mode, uid_t owner = 0) const {
    const std::string path = folder_.Path(name);
    mkdir(path.c_str(), 0700);
    EXPECT_EQ(chown(path.c_str(), owner, owner), 0);
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  static void Link(const std::string& to, const std::string& path, uid_t owner) {
    EXPECT_EQ(symlink(to.c_str(), path.c_str()), 0);
    EXPECT_EQ(lchown(path.c_str(), owner, owner), 0);
  }
  static void ExpectRefused(const Status& status, const std::string& danger,
                            const std::string& option) {
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << status;
    EXPECT_THAT(status.message(), AllOf(HasSubstr(danger), HasSubstr(option)));
  }
};

// A server of Alice's, to which a client sends nothing.
class SquatterTest : public NamesTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    LWMSG_SKIP_UNLESS_ROOT();
    endpoint_ = GetParam() == std::string("unix-abstract:") ? GetParam() + NewName()
                                                            : GetParam() + folder_.Path("s");
    auto address = internal::ToSocketAddress(*Endpoint::Parse(endpoint_));
    socket_ = NewSocket();
    RunAs(kAlice, [&] {
      return bind(socket_.get(), address->get(), address->size) == 0 &&
             listen(socket_.get(), 5) == 0;
    });
  }
  // Somebody has connected, and hung up without a word.
  void ExpectSilence() const {
    const OsHandle accepted(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(accepted.valid());
    std::array<char, 16> bytes{};
    EXPECT_EQ(recv(accepted.get(), bytes.data(), bytes.size(), MSG_DONTWAIT), 0);
  }

  std::string endpoint_;
  OsHandle socket_;
};

TEST_P(SquatterTest, T42_GetsNothingFromABlockingClient) {
  const Status status = Call(endpoint_, AnyFolder());
  ExpectRefused(status, "is euid=12345 ", "neither this user nor root; nothing was sent to it");
  EXPECT_THAT(status.message(), AllOf(HasSubstr("ClientOptions::server_euid"),
                                      HasSubstr("any_server"), HasSubstr(endpoint_)));
  ExpectSilence();
}

TEST_P(SquatterTest, T42_GetsNothingFromAClientOnALoop) {
  Loop loop;
  std::optional<Status> status;
  Client client(loop, endpoint_, AnyFolder());
  sample::SampleClient(client).Nothing().Send([&](auto reply) { status = reply.error(); });
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return status.has_value(); }));
  ExpectRefused(*status, "is euid=12345 ", "neither this user nor root");
  ExpectSilence();
}

// A child that inherited a server's listening socket and has fewer rights says that it serves.
TEST_P(SquatterTest, T43_WhoListensOnAnInheritedSocketIsItsServer) {
  ASSERT_EQ(listen(socket_.get(), 5), 0);
  RunAs(kBob, [this] { return listen(socket_.get(), 5) == 0; });
  ExpectRefused(Call(endpoint_, AnyFolder()), "is euid=12346 ", "neither this user nor root");
  ExpectSilence();
}

std::string NameOfScheme(const testing::TestParamInfo<const char*>& scheme) {
  return scheme.param == std::string("unix:") ? "Path" : "Abstract";
}
INSTANTIATE_TEST_SUITE_P(Names, SquatterTest, testing::Values("unix:", "unix-abstract:"),
                         NameOfScheme);

TEST_F(NamesTest, ClientTakesAServerOfRootOrOfItsUserOrOfTheOneThatItNames) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process roots("serve", {"endpoint=" + folder_.Endpoint("root"), "mode=666"});
  Process alices("serve", {"endpoint=" + folder_.Endpoint("alice"), "mode=666", "uid=12345"});
  ASSERT_EQ(roots.ReadLine(), "ready");
  ASSERT_EQ(alices.ReadLine(), "ready");
  for (const char* name : {"root", "alice"}) {
    Process client("call", {"endpoint=" + folder_.Endpoint(name), "uid=12345"});
    EXPECT_THAT(client.ReadLine(), StartsWith("client euid=12345 ")) << name;
  }
  ClientOptions named;
  named.server_euid = kAlice;
  EXPECT_EQ(Call(folder_.Endpoint("alice"), std::move(named)), Status());
  ClientOptions any;
  any.any_server = true;
  EXPECT_EQ(Call(folder_.Endpoint("alice"), std::move(any)), Status());
  EXPECT_EQ(CallNothing(folder_.Endpoint("alice")).code(), StatusCode::kPermissionDenied);
}

TEST_F(NamesTest, T53_ClientRefusesASocketInAFolderThatOthersMayWriteTo) {
  LWMSG_SKIP_UNLESS_ROOT();
  Folder("outer", 0755);
  const std::string folder = Folder("outer/f", 0755);
  const std::string endpoint = "unix:" + folder + "/s";
  Process server("serve", {"endpoint=" + endpoint});
  ASSERT_EQ(server.ReadLine(), "ready");
  for (const mode_t mode : {0755U, 0700U, 01777U}) {
    Folder("outer/f", mode);
    EXPECT_EQ(CallNothing(endpoint), Status()) << mode;
  }
  for (const auto& [mode, text] : {std::pair(0777U, "0777"), {0775U, "0775"}, {0757U, "0757"}}) {
    Folder("outer/f", mode);
    ExpectRefused(CallNothing(endpoint),
                  "others than its owner may write to folder " + folder + " (mode " + text + ")",
                  "nothing was sent. Mend that, or set ClientOptions::any_folder");
    EXPECT_EQ(Call(endpoint, AnyFolder()), Status()) << mode;
  }
  Folder("outer/f", 0755, kBob);
  ExpectRefused(CallNothing(endpoint), "folder " + folder + " belongs to user 12346", "any_folder");
  EXPECT_EQ(Call(endpoint, AnyFolder()), Status());
  // As any server may be there, whoever could have put it there.
  ClientOptions any;
  any.any_server = true;
  any.server_euid = geteuid();
  ExpectRefused(Call(endpoint, std::move(any)), "folder " + folder + " belongs to user 12346",
                "any_folder");
  any = {};
  any.any_server = true;
  EXPECT_EQ(Call(endpoint, std::move(any)), Status());
}

TEST_F(NamesTest, T53_ClientLooksAtTheWholeWayToASocket) {
  LWMSG_SKIP_UNLESS_ROOT();
  const std::string open = Folder("open", 0777);
  const std::string shared = Folder("shared", 01777);
  const std::string safe = Folder("safe", 0755);
  mkdir((open + "/inner").c_str(), 0755);
  Process inner("serve", {"endpoint=unix:" + safe + "/s"});
  ASSERT_EQ(inner.ReadLine(), "ready");
  Link("../../safe", open + "/inner/link", 0);
  Link(safe, shared + "/roots", 0);
  Link(safe + "/s", shared + "/bobs", kBob);
  Link("shared/roots/s", folder_.Path("two"), 0);
  Link("loop", folder_.Path("loop"), 0);
  EXPECT_EQ(CallNothing("unix:" + shared + "/roots/s"), Status());
  EXPECT_EQ(CallNothing(folder_.Endpoint("two")), Status());
  EXPECT_EQ(CallNothing("unix:" + safe + "//.././shared/../safe/s"), Status());
  const std::string outer = "may write to folder " + open;
  ExpectRefused(CallNothing("unix:" + open + "/inner/link/s"), outer, "any_folder");
  ExpectRefused(CallNothing("unix:" + open + "/../safe/s"), outer, "any_folder");
  ExpectRefused(CallNothing("unix:" + shared + "/bobs"), shared + "/bobs belongs to user 12346",
                "any_folder");
  EXPECT_EQ(Call("unix:" + shared + "/bobs", AnyFolder()), Status());
  EXPECT_THAT(CallNothing(folder_.Endpoint("loop")).message(), HasSubstr("symbolic links"));
  EXPECT_EQ(CallNothing("unix:" + safe + "/none/s").code(), StatusCode::kUnavailable);
}

TEST_F(NamesTest, T53_ServerRefusesAFolderThatOthersMayWriteTo) {
  LWMSG_SKIP_UNLESS_ROOT();
  Loop loop;
  Server server(loop);
  Folder("outer", 0755);
  const std::string folder = Folder("outer/f", 0777);
  Link("outer/f", folder_.Path("link"), 0);
  const std::string danger = "others than its owner may write to folder " + folder + " (mode 0777)";
  for (const std::string& path : {folder + "/s", folder + "/../f/s", folder_.Path("link/s")}) {
    ExpectRefused(server.Listen("unix:" + path), danger, "ListenOptions::any_folder");
  }
  Folder("outer/f", 0755, kBob);
  ExpectRefused(server.Listen("unix:" + folder + "/s"),
                "folder " + folder + " belongs to user 12346", "any_folder");
  EXPECT_EQ(access((folder + "/s.lock").c_str(), F_OK), -1) << "nothing was made";
  EXPECT_EQ(server.Listen("unix:" + folder + "/s", {.any_folder = true}), Status());
  server.Stop();
  for (const mode_t mode : {0755U, 0700U, 01777U}) {
    Folder("outer/f", mode);
    EXPECT_EQ(server.Listen("unix:" + folder + "/s"), Status()) << mode;
    server.Stop();
  }
}

TEST_F(NamesTest, T46_OfTwoThatListenAtOnceOneHasTheName) {
  Process first("contend", {EndpointArgument()});
  Process second("contend", {EndpointArgument()});
  ASSERT_EQ(first.ReadLine(), "ready");
  ASSERT_EQ(second.ReadLine(), "ready");
  for (int i = 0; i < 100; ++i) {
    for (Process* each : {&first, &second}) each->Tell("go");
    std::vector<std::string> said = {first.ReadLine(), second.ReadLine()};
    if (said[0] != "mine") std::swap(said[0], said[1]);
    ASSERT_EQ(said[0], "mine");
    ASSERT_THAT(said[1], StartsWith("already exists: a server is running"));
    ASSERT_EQ(CallNothing(), Status());
    for (Process* each : {&first, &second}) each->Tell("leave");
    ASSERT_EQ(first.ReadLine(), "left");
    ASSERT_EQ(second.ReadLine(), "left");
  }
}

TEST_F(NamesTest, T47_NameOfAKilledServerIsTheNextOnes) {
  for (int i = 0; i < 20; ++i) {
    Process server("serve", {EndpointArgument()});
    ASSERT_EQ(server.ReadLine(), "ready");
    Process late("serve", {EndpointArgument()});
    ASSERT_THAT(late.ReadLine(), StartsWith("already exists: "));
    ASSERT_EQ(CallNothing(), Status());
    server.Kill();
    server.Wait();
    ASSERT_EQ(CallNothing().code(), StatusCode::kUnavailable);
  }
}

// At a listening socket that outlives its servers, as a service manager keeps one. Whom a server
// that drains has just accepted is told to connect again.
TEST_F(NamesTest, T49_EachClientIsServedWhileServersSucceedOneAnother) {
  constexpr int kTries = 5;
  const OsHandle socket = ListenPlainly(folder_.Endpoint());
  std::atomic<int> served = 0;
  std::atomic<int> turned_away = 0;
  std::atomic<bool> ended = false;
  std::jthread clients([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Status status(StatusCode::kUnavailable, "");
      for (int i = 0; i < kTries && status.code() == StatusCode::kUnavailable; ++i) {
        status = CallNothing();
      }
      ++(status.ok() ? served : turned_away);
    }
    ended = true;
  });
  Loop loop;
  SampleService service;
  std::unique_ptr<Server> last;
  for (int i = 0; i < 200; ++i) {
    auto next = std::make_unique<Server>(loop);
    ASSERT_EQ(next->Serve(service), Status());
    ASSERT_EQ(next->ListenOn(*socket.Duplicate()), Status());
    if (last) {
      bool drained = false;
      last->Drain(milliseconds(10'000), [&] { drained = true; });
      ASSERT_TRUE(RunLoopUntil(loop, [&] { return drained; }));
    }
    last = std::move(next);
    const int before = served;
    ASSERT_TRUE(RunLoopUntil(loop, [&] { return served > before; }));
  }
  clients.request_stop();
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return ended.load(); }));
  EXPECT_EQ(turned_away, 0);
}

TEST_F(NamesTest, T48_ClientOfWhatIsNoSocketIsToldSoAndTouchesNothing) {
  std::ofstream(folder_.Path("file")) << "content";
  ASSERT_EQ(mkdir(folder_.Path("folder").c_str(), 0755), 0);
  ASSERT_EQ(mkfifo(folder_.Path("fifo").c_str(), 0600), 0);
  ASSERT_EQ(symlink("nowhere", folder_.Path("link").c_str()), 0);
  for (const char* name : {"file", "folder", "fifo", "link"}) {
    const Status status = Call("unix:" + folder_.Path(name), {});
    EXPECT_EQ(status.code(), StatusCode::kUnavailable) << name;
    EXPECT_THAT(status.message(), HasSubstr(folder_.Path(name)));
    struct stat info{};
    EXPECT_EQ(lstat(folder_.Path(name).c_str(), &info), 0);
  }
}

TEST_F(NamesTest, T51_PathOfAnyLengthIsTakenWholeOrRefused) {
  Loop loop;
  SampleService service;
  Server server(loop);
  ASSERT_EQ(server.Serve(service), Status());
  for (const size_t length : {106U, 107U, 108U, 109U, 213U, 4000U}) {
    const std::string path = folder_.Path(std::string(length - folder_.Path("").size(), 'x'));
    const Status listening = server.Listen("unix:" + path);
    if (length <= 107) {
      ASSERT_EQ(listening, Status()) << length;
      Client client(loop, "unix:" + path);
      std::optional<Status> status;
      sample::SampleClient(client).Nothing().Send(
          [&](auto reply) { status = reply ? Status() : reply.error(); });
      RunLoopUntil(loop, [&] { return status.has_value(); });
      EXPECT_EQ(status, Status()) << length;
      server.Stop();
      EXPECT_EQ(unlink((path + ".lock").c_str()), 0);
      continue;
    }
    const std::string text =
        "has a name of " + std::to_string(length) + " bytes; a Unix socket's has at most 107";
    for (const Status& status : {listening, CallNothing("unix:" + path)}) {
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
      EXPECT_THAT(status.message(), HasSubstr(text));
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path())) << "a part of a path was taken";
}

TEST_F(NamesTest, T54_AFullBacklogIsWaitedForWithoutSpinning) {
  const OsHandle socket = ListenPlainly(folder_.Endpoint());
  std::vector<OsHandle> waiting;
  do waiting.push_back(NewSocket());
  while (ConnectTo(waiting.back(), folder_.Endpoint()));
  Loop loop;
  Client client(loop, folder_.Endpoint());
  std::optional<Status> status;
  sample::SampleClient(client).Nothing().Send(
      [&](auto reply) { status = reply ? Status() : reply.error(); });
  bool waited = false;
  Timer timer(loop.impl(), [&waited] { waited = true; });
  timer.ArmAfter(milliseconds(500));
  const clock_t before = clock();
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return waited; }));
  EXPECT_LT(clock() - before, CLOCKS_PER_SEC / 4) << "half a second was spent on trying again";
  EXPECT_FALSE(status);
  SampleService service;
  Server server(loop);
  ASSERT_EQ(server.Serve(service), Status());
  ASSERT_EQ(server.ListenOn(*socket.Duplicate()), Status());
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return status.has_value(); }));
  EXPECT_EQ(status, Status());
}

// Such a name has no owner and no mode: who wants one says so.
TEST_F(NamesTest, T55_OnlyItsOwnSchemeLeadsToAnAbstractName) {
  const std::string name = NewName();
  Process server("serve", {"endpoint=unix-abstract:" + name});
  ASSERT_EQ(server.ReadLine(), "ready");
  EXPECT_EQ(CallNothing("unix-abstract:" + name), Status());
  EXPECT_EQ(CallNothing("unix:@" + name).code(), StatusCode::kUnavailable);
  const std::string zero = std::string("unix:") + '\0' + name;
  EXPECT_EQ(CallNothing(zero).code(), StatusCode::kInvalidArgument);
  Loop loop;
  Server other(loop);
  EXPECT_EQ(other.Listen(zero).code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace lwmsg::test
