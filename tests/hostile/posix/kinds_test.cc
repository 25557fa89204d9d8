#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string>

#include "fields.capnp.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/payload_type.h"
#include "tests/hostile/fixture.h"
#include "tests/hostile/posix/raw_descriptors.h"

// Descriptors that are not what the schema says, `$Lwmsg.kind` (T27).
namespace lwmsg::test {
namespace {

using fields::Kinds;

OsHandle Opened(const char* path, int flags) { return OsHandle(open(path, flags | O_CLOEXEC)); }

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    read = OsHandle(ends[0]);
    write = OsHandle(ends[1]);
  }
  OsHandle read;
  OsHandle write;
};

class KindsTest : public InventoriedTest {
 protected:
  // What both sides say of `handle` in that field: "" if it is good. They must say the same.
  static std::string Verdict(OsHandle handle, schema::OsHandle::Builder (*field)(Kinds::Builder)) {
    EXPECT_TRUE(handle.valid());
    OutgoingMessage message = OutgoingMessage::ForCall(1, 0);
    message.handles().Put(field(message.payload().initAs<Kinds>()), std::move(handle));
    const Status sent = message.CheckPayload(internal::PayloadTypeOf<Kinds>());
    auto received = IncomingMessage::Parse(internal::ToFrame(std::move(message)), {});
    if (!received) return received.error().message();
    const Status taken = received->CheckPayload(internal::PayloadTypeOf<Kinds>());
    EXPECT_EQ(sent.message(), taken.message());
    EXPECT_EQ(taken.code(), taken.ok() ? StatusCode::kOk : StatusCode::kMalformed);
    return taken.message();
  }
  static auto File(Kinds::Builder kinds) { return kinds.initFile(); }
  static auto Log(Kinds::Builder kinds) { return kinds.initLog(); }
  static auto SecondEnd(Kinds::Builder kinds) { return kinds.initEnds(2)[1]; }
  static auto Folder(Kinds::Builder kinds) { return kinds.initFolder(); }
  static auto Device(Kinds::Builder kinds) { return kinds.initDevice(); }

  static OsHandle Memory() { return OsHandle(memfd_create("kinds", MFD_CLOEXEC)); }
  static OsHandle Socket(int family) {
    return OsHandle(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
};

TEST_F(KindsTest, T27_WhatTheSchemaWantsPasses) {
  EXPECT_EQ(Verdict(Memory(), File), "");
  EXPECT_EQ(Verdict(Opened("/proc/self/exe", O_RDONLY), File), "");
  EXPECT_EQ(Verdict(Memory(), Log), "");
  EXPECT_EQ(Verdict(Pipe().write, Log), "");
  EXPECT_EQ(Verdict(Opened("/dev/null", O_WRONLY), Log), "");
  EXPECT_EQ(Verdict(Pipe().read, SecondEnd), "");
  EXPECT_EQ(Verdict(Socket(AF_UNIX), SecondEnd), "");
  EXPECT_EQ(Verdict(Socket(AF_INET), SecondEnd), "");
  EXPECT_EQ(Verdict(Opened("/", O_RDONLY | O_DIRECTORY), Folder), "");
  EXPECT_EQ(Verdict(Opened("/dev/zero", O_RDWR), Device), "");
}

TEST_F(KindsTest, T27_OtherKindsAreNamedWithTheField) {
  const std::string wanted = " where the schema wants a file, open for reading";
  EXPECT_EQ(Verdict(Pipe().read, File), "file: a pipe, open for reading" + wanted);
  EXPECT_EQ(Verdict(Opened("/", O_RDONLY), File), "file: a directory, open for reading" + wanted);
  EXPECT_EQ(Verdict(Socket(AF_UNIX), File),
            "file: a socket, open for reading and writing" + wanted);
  EXPECT_EQ(Verdict(Socket(AF_INET), File),
            "file: a socket, open for reading and writing" + wanted);
  EXPECT_EQ(Verdict(Opened("/dev/zero", O_RDONLY), File),
            "file: a device, open for reading" + wanted);
  EXPECT_EQ(Verdict(Opened("/dev/ptmx", O_RDWR | O_NOCTTY), File),
            "file: a device, open for reading and writing" + wanted);
  EXPECT_EQ(
      Verdict(Memory(), SecondEnd),
      "ends[1]: a file, open for reading and writing where the schema wants a pipe or socket");
}

TEST_F(KindsTest, T27_WhatIsNoneOfThemIsAnotherKind) {
  const std::string refused =
      "file: an OS handle of another kind where the schema wants a file, "
      "open for reading";
  EXPECT_EQ(Verdict(OsHandle(epoll_create1(EPOLL_CLOEXEC)), File), refused);
  EXPECT_EQ(Verdict(OsHandle(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0))), File),
            refused);
  EXPECT_EQ(Verdict(Opened("/proc/self/exe", O_PATH), File), refused);
  EXPECT_EQ(Verdict(Opened("/", O_PATH), Folder),
            "folder: an OS handle of another kind where the schema wants a directory");
}

TEST_F(KindsTest, T27_WhatItIsNotOpenForIsRefused) {
  EXPECT_EQ(Verdict(Pipe().read, Log),
            "log: a pipe, open for reading where the schema wants an OS handle, open for writing");
  EXPECT_EQ(Verdict(Opened("/dev/null", O_WRONLY), Device),
            "device: a device, open for writing where the schema wants a device, open for reading "
            "and writing");
}

class HostileKindsTest : public HostilePeerTest {};

TEST_F(HostileKindsTest, T27_TheHandlerIsNotAskedAndTheConnectionLives) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  const auto call = [](uint32_t id) {
    return CallFrame(
        id, kExamine,
        [](auto params) {
          params.template initAs<sample::Sample::ExamineParams>().initFile().setSlot(1);
        },
        1);
  };
  std::vector<OsHandle> wrong;
  wrong.push_back(Opened("/dev/zero", O_RDONLY));
  WriteWith(peer, call(1), wrong);
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kMalformed,
                   {"request of Sample.examine", "file: a device", "wants a file"}));
  std::vector<OsHandle> right;
  right.push_back(OsHandle(memfd_create("kinds", MFD_CLOEXEC)));
  WriteWith(peer, call(2), right);
  EXPECT_EQ(AnswerTo(peer, 2), Status());
}

}  // namespace
}  // namespace lwmsg::test
