#include <ctime>

#include "tests/hostile/fixture.h"

// Frames whose body is no sound Cap'n Proto message.
namespace lwmsg::test {
namespace {

class HostileBodyTest : public HostilePeerTest {
 protected:
  // What a peer that writes this frame behind its hello is told last.
  std::optional<Status> GoodbyeAfter(const std::string& frame) {
    RawPeer peer = ConnectAndGreet();
    peer.Write(frame);
    return GoodbyeTo(peer);
  }
  // What the call in this frame is answered; the association must live on.
  std::optional<Status> AnswerToBadCall(RawPeer& peer, const std::string& frame) {
    peer.Write(frame);
    auto answer = AnswerTo(peer, 9);
    EXPECT_EQ(Echo(peer, 10), Status());
    return answer;
  }
};

TEST_F(HostileBodyTest, T07_SegmentTableLargerThanTheFrame) {
  Serve();
  for (const uint32_t segments_less_one : {1U, 511U, 512U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
    SCOPED_TRACE(segments_less_one);
    std::string frame = EchoFrame(9, "text");
    PutNumber(frame, kTableOffset, segments_less_one);
    EXPECT_TRUE(
        Says(GoodbyeAfter(frame), StatusCode::kMalformed, {"frame is no Cap'n Proto message"}));
  }
}

TEST_F(HostileBodyTest, T07_TooManySegmentsThatAreAllThere) {
  Serve();
  // 600 empty segments: 601 numbers and a filler.
  std::string body(size_t{602} * 4, '\0');
  PutNumber(body, 0, 599U);
  EXPECT_TRUE(Says(GoodbyeAfter(FrameAround(body)), StatusCode::kMalformed,
                   {"frame is no Cap'n Proto message", "600 segments", "at most 512"}));
}

TEST_F(HostileBodyTest, SegmentLongerThanTheFrame) {
  Serve();
  for (const uint32_t words : {1000U, 0xFFFFFFFFU}) {
    std::string frame = EchoFrame(9, "text");
    PutNumber(frame, kTableOffset + 4, words);
    EXPECT_TRUE(
        Says(GoodbyeAfter(frame), StatusCode::kMalformed, {"frame is no Cap'n Proto message"}));
  }
}

TEST_F(HostileBodyTest, WordsBehindTheMessageEndTheAssociation) {
  Serve();
  std::string frame = EchoFrame(9, "text") + std::string(8, '\0');
  const auto words = static_cast<uint32_t>((frame.size() - kHeaderBytes) / 8);
  PutNumber(frame, 4, words);
  EXPECT_TRUE(Says(
      GoodbyeAfter(frame), StatusCode::kMalformed,
      {"frame of " + std::to_string(words) + " words", "message of " + std::to_string(words - 1)}));
}

TEST_F(HostileBodyTest, RootPointerThatIsNoStructOrPointsOutside) {
  Serve();
  for (const uint64_t pointer : {
           uint64_t{100'000} << 2 | uint64_t{5} << 32,  // A struct far outside.
           uint64_t{0xFFFFFFFC} | uint64_t{5} << 32,    // A struct that begins at its own pointer.
           uint64_t{1} | uint64_t{8} << 32,             // A list.
           uint64_t{2} | uint64_t{77} << 32,            // Far, to a segment that is not there.
           uint64_t{3},                                 // A capability.
       }) {
    SCOPED_TRACE(pointer);
    std::string frame = EchoFrame(9, "text");
    PutNumber(frame, kRootOffset, pointer);
    auto goodbye = GoodbyeAfter(frame);
    ASSERT_TRUE(goodbye);
    EXPECT_EQ(goodbye->code(), StatusCode::kMalformed) << *goodbye;
    EXPECT_FALSE(goodbye->message().empty());
  }
}

TEST_F(HostileBodyTest, HelloWithABadListIsRefused) {
  Serve();
  std::string frame = EnvelopeFrame([](auto envelope) { envelope.initHello().initProtocols(1); });
  // The list's pointer, before its tag and one element.
  const size_t pointer = frame.size() - 5 * 8;
  for (const uint64_t value : {
           uint64_t{100'000} << 2 | 1U | uint64_t{8 << 3 | 7} << 32,  // Far outside.
           uint64_t{1} | uint64_t{0x1FFFFFFFU << 3} << 32,            // 2^29 - 1 voids.
       }) {
    PutNumber(frame, pointer, value);
    RawPeer peer = Connect();
    peer.Write(frame);
    EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"envelope cannot be read"}));
  }
}

TEST_F(HostileBodyTest, GoodbyeWithABadTextEndsTheAssociation) {
  Serve();
  std::string frame = GoodbyeFrame(1, "text");
  BreakPointer(frame, 2);
  EXPECT_TRUE(
      Says(GoodbyeAfter(frame), StatusCode::kMalformed, {"envelope cannot be read", "bounds"}));
}

TEST_F(HostileBodyTest, BadPointerInTheParamsFailsOneCallAndNamesTheField) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  std::string frame = EchoFrame(9, "text");
  BreakPointer(frame, 2);
  EXPECT_TRUE(Says(AnswerToBadCall(peer, frame), StatusCode::kMalformed,
                   {"request of Sample.echo", "text: ", "out-of-bounds"}));
}

// T08.
TEST_F(HostileBodyTest, FarPointersInACircleOrToNowhereFailOneCall) {
  Serve();
  std::string frame = EchoFrame(9, "text");
  const size_t place = frame.size() - 2 * 8;
  const uint64_t here = (place - kRootOffset) / 8;  // In words of the segment.
  constexpr uint64_t kFar = 2;
  constexpr uint64_t kDoubleFar = 6;
  for (const uint64_t pointer : {
           here << 3 | kFar,                       // Its landing pad is the pointer itself.
           here << 3 | kDoubleFar,                 // Likewise, with the text as its tag.
           (here + 1) << 3 | kDoubleFar,           // Half of its landing pad is behind the end.
           uint64_t{0} << 3 | kFar,                // To the root, which is no text.
           uint64_t{0x1FFFFFFF} << 3 | kFar,       // Far outside.
           here << 3 | kFar | uint64_t{1} << 32,   // To a segment that is not there.
           here << 3 | kFar | ~uint64_t{0} << 32,  // The last that could be.
       }) {
    SCOPED_TRACE(pointer);
    PutNumber(frame, place, pointer);
    RawPeer peer = ConnectAndGreet();
    EXPECT_TRUE(Says(AnswerToBadCall(peer, frame), StatusCode::kMalformed,
                     {"request of Sample.echo", "text"}));
  }
}

// T08.
TEST_F(HostileBodyTest, FarPointersOfTwoSegmentsThatMeanEachOtherFailOneCall) {
  Serve();
  const std::string one = EchoFrame(9, "text");
  std::string segment = one.substr(kRootOffset);
  const size_t place = segment.size() - 2 * 8;
  for (const uint64_t kind : {2U, 6U}) {
    std::string body(size_t{4} * 4, '\0');  // One less than the segments, their words, a filler.
    PutNumber(body, 0, 1U);
    PutNumber(body, 4, static_cast<uint32_t>(segment.size() / 8));
    PutNumber(body, 8, 2U);
    PutNumber(segment, place, kind | uint64_t{1} << 32);
    std::string second(16, '\0');
    PutNumber(second, 0, kind | uint64_t{place / 8} << 3);
    RawPeer peer = ConnectAndGreet();
    EXPECT_TRUE(Says(AnswerToBadCall(peer, FrameAround(body + segment + second)),
                     StatusCode::kMalformed, {"request of Sample.echo", "text"}));
  }
}

// T08.
TEST_F(HostileBodyTest, ListThatIsItsOwnChildFailsOneCall) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  std::string frame = CollectFrame(9, {1});
  // The last word is the one item's `children`; the list's tag is three words before it.
  constexpr uint32_t kOffset = ~3U;  // -4.
  PutNumber(frame, frame.size() - 8, uint64_t{kOffset << 2 | 1U} | uint64_t{3 << 3 | 7} << 32);
  EXPECT_TRUE(Says(AnswerToBadCall(peer, frame), StatusCode::kMalformed,
                   {"request of Sample.collect", "items[0].children[0]"}));
}

// T08. Some are what a newer or older schema would send; none may do harm.
TEST_F(HostileBodyTest, ListsOfAnyElementsWhereOthersShouldBeAreAnsweredInSomeWay) {
  Serve();
  const std::string echo = EchoFrame(9, "text");
  const std::string collect = CollectFrame(9, {1});
  for (const auto& [sound, words_from_end] : {std::pair(echo, 2), std::pair(collect, 5)}) {
    for (uint64_t elements = 0; elements < 8; ++elements) {
      for (const uint64_t count : {uint64_t{0}, uint64_t{1}, uint64_t{3}, uint64_t{0x1FFFFFFF}}) {
        SCOPED_TRACE(std::to_string(elements) + ", " + std::to_string(count));
        std::string frame = sound;
        PutNumber(frame, frame.size() - static_cast<size_t>(words_from_end) * 8,
                  uint64_t{1} | (count << 3 | elements) << 32);
        RawPeer peer = ConnectAndGreet();
        const auto answer = AnswerToBadCall(peer, frame);
        ASSERT_TRUE(answer);
        // 2^29 - 1 of anything are more than there are.
        if (count == 0x1FFFFFFF) {
          EXPECT_EQ(answer->code(), StatusCode::kMalformed) << *answer;
        }
      }
    }
  }
}

TEST_F(HostileBodyTest, T11_TextWithoutItsZeroFailsOneCall) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  std::string frame = EchoFrame(9, "1234567");
  frame.back() = '8';
  EXPECT_TRUE(
      Says(AnswerToBadCall(peer, frame), StatusCode::kMalformed, {"text: ", "not NUL-terminated"}));
}

TEST_F(HostileBodyTest, ParamsOfTheWrongKindFailOneCall) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  const std::string frame = CallFrame(9, kEcho, [](auto params) {
    params.template setAs<capnp::Text>("a text where a struct should be");
  });
  EXPECT_TRUE(
      Says(AnswerToBadCall(peer, frame), StatusCode::kMalformed, {"request of Sample.echo"}));
}

TEST_F(HostileBodyTest, DeepNestingFailsOneCallWithoutHarmToTheStack) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  const std::string frame = CollectFrame(9, std::vector<uint32_t>(2'000, 1));
  EXPECT_TRUE(Says(AnswerToBadCall(peer, frame), StatusCode::kMalformed,
                   {"request of Sample.collect", "items[0].children[0]", "deeply-nested",
                    "Limits::max_nesting", "32"}));
}

TEST_F(HostileBodyTest, NestingIsLimitedAlsoInLargeFrames) {
  Limits limits;
  limits.max_nesting = 200;
  Serve(limits);
  RawPeer peer = ConnectAndGreet();
  const std::string frame = CollectFrame(9, std::vector<uint32_t>(4'000, 1));
  EXPECT_TRUE(Says(AnswerToBadCall(peer, frame), StatusCode::kMalformed,
                   {"deeply-nested", "Limits::max_nesting", "200"}));
}

TEST_F(HostileBodyTest, T09_ManyPointersToOneTargetDoNotMultiplyTheWork) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  const std::string frame = CollectFrame(9, std::vector<uint32_t>(10, 100));
  const std::clock_t begin = std::clock();
  EXPECT_TRUE(Says(AnswerToBadCall(peer, frame), StatusCode::kMalformed,
                   {"request of Sample.collect", "traversal limit"}));
  EXPECT_LT(std::clock() - begin, CLOCKS_PER_SEC);  // 100^10 visits would take for ever.
}

TEST_F(HostileBodyTest, T11_ListThatClaimsMoreThanItHoldsFailsOneCall) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  std::string frame = CollectFrame(9, {1});
  PutNumber(frame, frame.size() - 4 * 8, uint64_t{0x1FFFFFFF} << 2);  // A tag: 2^29 - 1 voids.
  EXPECT_TRUE(Says(AnswerToBadCall(peer, frame), StatusCode::kMalformed,
                   {"request of Sample.collect", "traversal limit"}));
}

}  // namespace
}  // namespace lwmsg::test
