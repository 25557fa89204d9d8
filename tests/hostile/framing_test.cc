#include <uv.h>

#include <random>

#include "tests/hostile/fixture.h"
#include "tests/support/system.h"

// Bytes that are no frames.
namespace lwmsg::test {
namespace {

class HostileFramingTest : public HostilePeerTest {
 protected:
  // What a new peer that writes only these bytes is told.
  std::optional<Status> GoodbyeAfter(const std::string& bytes) {
    RawPeer peer = Connect();
    peer.Write(bytes);
    return GoodbyeTo(peer);
  }
};

std::string RandomBytes(size_t size) {
  std::mt19937 random(20240607);
  std::string bytes;
  while (bytes.size() < size) bytes += static_cast<char>(random());
  return bytes;
}

TEST_F(HostileFramingTest, T05_GarbageInsteadOfHelloIsToldWhatWasWanted) {
  Serve();
  for (const std::string& garbage :
       {RandomBytes(4096), std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        std::string("\0AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\n", 39), std::string(64, '\0')}) {
    EXPECT_TRUE(Says(GoodbyeAfter(garbage), StatusCode::kMalformed,
                     {"no lwmsg frame", "is the peer an lwmsg program?"}));
  }
}

TEST_F(HostileFramingTest, T05_WrongMagicEndsTheAssociation) {
  Serve();
  for (size_t i = 0; i < 3; ++i) {
    std::string frame = HelloFrame();
    frame[i] ^= 0x20;
    EXPECT_TRUE(Says(GoodbyeAfter(frame), StatusCode::kMalformed, {"no lwmsg frame"}));
  }
}

TEST_F(HostileFramingTest, WrongLayoutVersionIsNamed) {
  Serve();
  std::string frame = HelloFrame();
  frame[3] = 2;
  EXPECT_TRUE(Says(GoodbyeAfter(frame), StatusCode::kMalformed, {"layout version 1"}));
}

TEST_F(HostileFramingTest, T06_EachReservedByteOfTheHeaderMustBeZero) {
  Serve();
  for (size_t i = 10; i < kHeaderBytes; ++i) {
    std::string frame = HelloFrame();
    frame[i] = 1;
    EXPECT_TRUE(
        Says(GoodbyeAfter(frame), StatusCode::kMalformed, {"reserved bytes of a frame header"}));
  }
}

TEST_F(HostileFramingTest, T03_FrameLongerThanLimitIsRefusedBeforeMemoryIsTaken) {
  Serve();
  const size_t before = PeakPromisedMemory();
  for (const uint32_t words : {(1U << 17) + 1, 1U << 31, ~0U}) {
    std::string frame = HelloFrame();
    PutNumber(frame, 4, words);
    EXPECT_TRUE(Says(
        GoodbyeAfter(frame), StatusCode::kMalformed,
        {std::to_string(uint64_t{8} * words) + " bytes", "1048576", "Limits::max_frame_bytes"}));
  }
  EXPECT_LT(PeakPromisedMemory() - before, size_t{64} << 20);
}

TEST_F(HostileFramingTest, PromiseOfALargeFrameCostsNoMemoryBeforeItsBytesCome) {
  Limits limits;
  limits.max_frame_bytes = 1U << 30;
  Serve(limits);
  const size_t before = MemoryInUse();
  RawPeer peer = ConnectAndGreet();
  ASSERT_EQ(Echo(peer, 1), Status());
  std::string frame = EchoFrame(2, "text");
  PutNumber(frame, 4, 1U << 27);
  peer.Write(frame);
  ASSERT_EQ(Echo(*bystander_), Status());  // After this the server has read the frame's begin.
  EXPECT_LT(MemoryInUse(), before + (size_t{64} << 20));
  peer.Close();
  RunUntil([&] { return !ends_.empty(); });
  EXPECT_TRUE(Says(ends_[0], StatusCode::kUnavailable, {"in the middle of a message"}));
}

TEST_F(HostileFramingTest, T03_FrameOfZeroLengthEndsTheAssociation) {
  Serve();
  EXPECT_TRUE(Says(GoodbyeAfter(FrameAround("")), StatusCode::kMalformed, {"without a message"}));
}

TEST_F(HostileFramingTest, T01_FrameCutOffAtAnyByteIsNeverDispatched) {
  Serve();
  const std::string call = CallFrame(7, kKeep);
  for (size_t size = 0; size < call.size(); ++size) {
    SCOPED_TRACE(size);
    RawPeer peer = ConnectAndGreet();
    peer.Write(call.substr(0, size));
    peer.Close();
    RunUntil([&] { return ends_.size() == size + 1; });
    ASSERT_TRUE(Says(ends_.back(), StatusCode::kUnavailable,
                     {size == 0 ? "closed the connection" : "in the middle of a message"}));
  }
  EXPECT_TRUE(sample_.kept.empty());
}

TEST_F(HostileFramingTest, T01_HelloCutOffAtAnyByteLeavesNothingBehind) {
  Serve();
  const std::string hello = HelloFrame();
  for (size_t size = 0; size < hello.size(); ++size) {
    SCOPED_TRACE(size);
    RawPeer peer = Connect();
    peer.Write(hello.substr(0, size));
    peer.Close();
    RunUntil([&] { return ends_.size() == size + 1; });
    ASSERT_EQ(ends_.back().code(), StatusCode::kUnavailable) << ends_.back();
  }
}

TEST_F(HostileFramingTest, FramesInSingleBytesAreUnderstood) {
  Serve();
  RawPeer peer = Connect();
  for (const char byte : HelloFrame() + EchoFrame(1, "slowly")) {
    peer.Write(std::string(1, byte));
    uv_run(loop_.uv(), UV_RUN_NOWAIT);
  }
  EXPECT_EQ(AnswerTo(peer, 1), Status());
}

}  // namespace
}  // namespace lwmsg::test
