#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>

#include "tests/hostile/fixture.h"
#include "tests/hostile/posix/raw_descriptors.h"
#include "tests/support/posix/cpu_time.h"
#include "tests/support/posix/descriptor_famine.h"

// Descriptors that are too many, too few, lost, or not where the message says.
namespace lwmsg::test {
namespace {

class HostileDescriptorsTest : public HostilePeerTest {
 protected:
  std::optional<Status> GoodbyeAfter(const std::string& frame, size_t files) {
    RawPeer peer = ConnectAndGreet();
    const auto handles = SomeFiles(files);
    WriteWith(peer, frame, handles);
    return GoodbyeTo(peer);
  }
  // What call 9 in this frame is answered; the association must live on.
  std::optional<Status> AnswerToBadCall(const std::string& frame, size_t files) {
    RawPeer peer = ConnectAndGreet();
    const auto handles = SomeFiles(files);
    WriteWith(peer, frame, handles);
    auto answer = AnswerTo(peer, 9);
    EXPECT_EQ(Echo(peer, 10), Status());
    return answer;
  }
};

// T19, T22.
TEST_F(HostileDescriptorsTest, MoreThanTheFrameCounts) {
  Serve();
  EXPECT_TRUE(Says(GoodbyeAfter(GiveFrame(9, 1, 2, 2), 3), StatusCode::kMalformed,
                   {"counts 2 OS handles", "but 3 came"}));
}

TEST_F(HostileDescriptorsTest, SomeWhereTheFrameCountsNone) {
  Serve();
  EXPECT_TRUE(Says(GoodbyeAfter(EchoFrame(9, "text"), 1), StatusCode::kMalformed,
                   {"counts 0 OS handles", "but 1 came"}));
}

// T19.
TEST_F(HostileDescriptorsTest, FewerThanTheFrameCounts) {
  Serve();
  EXPECT_TRUE(Says(GoodbyeAfter(GiveFrame(9, 1, 2, 2), 1), StatusCode::kMalformed,
                   {"counts 2 OS handles", "but 1 came"}));
}

// T19.
TEST_F(HostileDescriptorsTest, NoneWhereTheFrameCountsSome) {
  Serve();
  EXPECT_TRUE(Says(GoodbyeAfter(GiveFrame(9, 1, 2, 2), 0), StatusCode::kMalformed,
                   {"counts 2 OS handles", "but 0 came"}));
}

// With room for none of them, and for one.
TEST_F(HostileDescriptorsTest, T21_SetThatTheKernelCutAtTheLimitOfDescriptorsReachesNoHandler) {
  Serve();
  for (const bool one_free : {false, true}) {
    SCOPED_TRACE(one_free);
    OsHandle free = OpenNull();
    RawPeer peer = ConnectAndGreet();
    ASSERT_EQ(Echo(peer, 1), Status());
    {
      const auto handles = SomeFiles(2);
      WriteWith(peer, GiveFrame(9, 1, 2, 2), handles);
    }
    const DescriptorFamine none;
    if (one_free) free.Close();
    EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"RLIMIT_NOFILE"}));
    EXPECT_FALSE(peer.ReplyTo(9));
    EXPECT_EQ(Echo(*bystander_), Status());
  }
}

TEST_F(HostileDescriptorsTest, ServerWithoutDescriptorsAcceptsAgainLater) {
  Serve();
  RawPeer waiting = ConnectAndGreet();
  waiting.Write(EchoFrame(1, "text"));
  {
    const DescriptorFamine none;
    EXPECT_EQ(Echo(*bystander_), Status());
    EXPECT_EQ(server_->association_count(), 1U);
  }
  EXPECT_EQ(AnswerTo(waiting, 1), Status());
}

// T57.
TEST_F(HostileDescriptorsTest, ServerWithoutDescriptorsForAClientThatWaitsDoesNotSpin) {
  Serve();
  const RawPeer waiting = Connect();
  const DescriptorFamine none;
  constexpr std::chrono::milliseconds kWait{500};
  EXPECT_LT(CpuTimeOf(loop_, kWait), kWait / 5);
  EXPECT_EQ(server_->association_count(), 1U);
}

TEST_F(HostileDescriptorsTest, WhereTheSchemaHasNone) {
  Serve();
  const std::string frame = CallFrame(
      9, kEcho, [](auto params) { params.template initAs<sample::Sample::EchoParams>(); }, 2);
  EXPECT_TRUE(Says(AnswerToBadCall(frame, 2), StatusCode::kMalformed,
                   {"request of Sample.echo", "2 OS handles", "no field for them"}));
}

TEST_F(HostileDescriptorsTest, WithACallOfNoMethodTheyAreClosed) {
  Serve();
  EXPECT_TRUE(
      Says(AnswerToBadCall(CallFrame(9, 999, {}, 2), 2), StatusCode::kUnimplemented, {"999"}));
}

TEST_F(HostileDescriptorsTest, SlotOutOfRange) {
  Serve();
  for (const uint16_t slot : {uint16_t{2}, uint16_t{17}, uint16_t{65535}}) {
    EXPECT_TRUE(Says(AnswerToBadCall(GiveFrame(9, slot, 0, 1), 1), StatusCode::kMalformed,
                     {"request of Sample.give", "first: ", "slot " + std::to_string(slot)}));
  }
}

TEST_F(HostileDescriptorsTest, OneSlotInTwoFields) {
  Serve();
  EXPECT_TRUE(Says(AnswerToBadCall(GiveFrame(9, 1, 1, 1), 1), StatusCode::kMalformed,
                   {"request of Sample.give", "second: ", "two places", "slot 1"}));
}

TEST_F(HostileDescriptorsTest, SlotThatNoFieldNamesIsClosed) {
  Serve();
  EXPECT_EQ(AnswerToBadCall(GiveFrame(9, 0, 2, 2), 2), Status());
}

// T19.
TEST_F(HostileDescriptorsTest, AsManyAsTheKernelPasses) {
  Serve();
  EXPECT_TRUE(Says(GoodbyeAfter(GiveFrame(9, 1, 2, 253), 253), StatusCode::kMalformed,
                   {"253 OS handles", "the limit is 16", "Limits::max_frame_handles"}));
  EXPECT_TRUE(Says(GoodbyeAfter(GiveFrame(9, 1, 2, 2), 253), StatusCode::kMalformed,
                   {"counts 2 OS handles", "but 253 came"}));
}

TEST_F(HostileDescriptorsTest, AsManyAsTheKernelPassesWhereTheLimitAllowsIt) {
  Limits limits;
  limits.max_frame_handles = kMaxFrameHandles;
  Serve(limits);
  EXPECT_EQ(AnswerToBadCall(GiveFrame(9, 1, 253, 253), 253), Status());
}

TEST_F(HostileDescriptorsTest, CountThatNoKernelCouldPassIsRefusedByTheHeader) {
  Serve();
  EXPECT_TRUE(Says(GoodbyeAfter(GiveFrame(9, 1, 2, 65535), 1), StatusCode::kMalformed,
                   {"65535 OS handles", "the limit is 16", "Limits::max_frame_handles"}));
}

// T20. What was not read yet cannot be told from what came with the first byte.
TEST_F(HostileDescriptorsTest, BehindTheFirstByteOfTheFrameThatCountsThem) {
  Serve();
  const std::string frame = GiveFrame(9, 1, 0, 1);
  for (const size_t split : {size_t{1}, kHeaderBytes - 1, kHeaderBytes, frame.size() - 1}) {
    SCOPED_TRACE(split);
    RawPeer peer = ConnectAndGreet();
    peer.Write(frame.substr(0, split));
    ASSERT_EQ(Echo(*bystander_), Status());  // After this the server has read it.
    WriteWith(peer, frame.substr(split), SomeFiles(1));
    EXPECT_TRUE(
        Says(GoodbyeTo(peer), StatusCode::kMalformed, {"1 OS handles", "middle of a frame"}));
    EXPECT_FALSE(peer.ReplyTo(9));
  }
}

// T20.
TEST_F(HostileDescriptorsTest, SomeOfThemBehindTheFirstByte) {
  Serve();
  const std::string frame = GiveFrame(9, 1, 2, 2);
  RawPeer peer = ConnectAndGreet();
  WriteWith(peer, frame.substr(0, 30), SomeFiles(1));
  ASSERT_EQ(Echo(*bystander_), Status());
  WriteWith(peer, frame.substr(30), SomeFiles(1));
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"1 OS handles", "middle of a frame"}));
}

// T20.
TEST_F(HostileDescriptorsTest, WithFramesInOneWriteTheyGoToThoseThatCountThem) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  WriteWith(peer, EchoFrame(1, "text") + GiveFrame(2, 1, 2, 2) + EchoFrame(3, "text"),
            SomeFiles(2));
  for (const uint32_t id : {1U, 2U, 3U}) EXPECT_EQ(AnswerTo(peer, id), Status());
  WriteWith(peer, GiveFrame(4, 1, 2, 2) + GiveFrame(5, 1, 0, 1), SomeFiles(4));
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"counts 1", "but 2 came"}));
}

// T20. The kernel makes one set of them.
TEST_F(HostileDescriptorsTest, InTwoSetsOfOneWrite) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  WriteWithSets(peer, GiveFrame(9, 1, 2, 2), SomeFiles(1), SomeFiles(1));
  EXPECT_EQ(AnswerTo(peer, 9), Status());
  WriteWithSets(peer, GiveFrame(10, 1, 2, 2), SomeFiles(1), SomeFiles(2));
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"counts 2", "but 3 came"}));
}

// T23.
TEST_F(HostileDescriptorsTest, OfAFrameThatIsSplitAtAnyByteTheyArriveOnce) {
  Serve();
  const std::string frame = GiveFrame(9, 1, 0, 1);
  for (size_t split = 1; split < frame.size(); ++split) {
    SCOPED_TRACE(split);
    RawPeer peer = ConnectAndGreet();
    std::vector<OsHandle> handles;
    handles.push_back(FileWith("content"));
    WriteWith(peer, frame.substr(0, split), handles);
    handles.clear();
    if (split % 2 == 0) {
      ASSERT_EQ(Echo(*bystander_), Status());  // It reads two parts.
    }
    peer.Write(frame.substr(split));
    ASSERT_EQ(AnswerTo(peer, 9), Status());
    EXPECT_EQ(peer.frames()
                  .back()
                  .envelope()
                  .getReply()
                  .getResults()
                  .getAs<sample::Sample::GiveResults>()
                  .getContent(),
              "content");
  }
}

TEST_F(HostileDescriptorsTest, OnAMiddleByteOfAFrameThatCountsNone) {
  Serve();
  const std::string frame = EchoFrame(9, "text");
  for (const size_t split : {size_t{1}, kHeaderBytes, frame.size() - 1}) {
    SCOPED_TRACE(split);
    RawPeer peer = ConnectAndGreet();
    peer.Write(frame.substr(0, split));
    const auto handles = SomeFiles(1);
    WriteWith(peer, frame.substr(split), handles);
    EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"OS handles"}));
  }
}

TEST_F(HostileDescriptorsTest, FrameCutOffAfterItsDescriptorsClosesThem) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  const auto handles = SomeFiles(2);
  WriteWith(peer, GiveFrame(9, 1, 2, 2).substr(0, 40), handles);
  peer.Close();
  RunUntil([&] { return !ends_.empty(); });
  EXPECT_TRUE(Says(ends_[0], StatusCode::kUnavailable, {"in the middle of a message"}));
}

TEST_F(HostileDescriptorsTest, WithHelloTheyAreClosed) {
  Serve();
  RawPeer peer = Connect();
  const auto handles = SomeFiles(3);
  WriteWith(peer,
            EnvelopeFrame([](auto envelope) { envelope.initHello().setMaxFrameBytes(4096); }, 3),
            handles);
  EXPECT_EQ(Echo(peer, 1), Status());
}

}  // namespace
}  // namespace lwmsg::test
