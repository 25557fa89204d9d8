#include <uv.h>

#include <random>

#include "tests/hostile/fixture.h"

// Frames at the bounds of what is allowed, and in every split.
namespace lwmsg::test {
namespace {

class FramingBoundsTest : public HostilePeerTest {
 protected:
  // What becomes of `bytes` behind a hello: how call 1 is answered, or the goodbye.
  std::optional<Status> OutcomeOf(const std::string& bytes) {
    RawPeer peer = ConnectAndGreet();
    peer.Write(bytes);
    const auto answer = AnswerTo(peer, 1);
    return answer ? answer : peer.Goodbye();
  }
};

// An echo whose frame has a body of so many bytes.
std::string EchoOfSize(size_t body_bytes) {
  std::string text;
  while (EchoFrame(1, text).size() - kHeaderBytes < body_bytes) text += "12345678";
  return EchoFrame(1, text);
}

// The hello of `HelloFrame` with so many segments, of which all but the first are empty.
std::string HelloWithSegments(uint32_t count) {
  const std::string plain = HelloFrame();
  const std::string segment = plain.substr(kHeaderBytes + 8);
  std::string body(4 * (size_t{1} + count + (count + 1) % 2), '\0');
  PutNumber(body, 0, count - 1);
  PutNumber(body, 4, static_cast<uint32_t>(segment.size() / 8));
  return FrameAround(body + segment);
}

std::string TextOf(const RawFrame& frame) {
  const auto results = frame.envelope().getReply().getResults();
  return results.getAs<sample::Sample::EchoResults>().getText();
}

TEST_F(FramingBoundsTest, T02_AThousandFramesInAnySplitAreThoseOfOneWrite) {
  Serve();
  std::mt19937 random(7);
  for (const auto& [frames, longest] :
       std::vector<std::pair<uint32_t, size_t>>{{100, 1}, {1000, 200}, {1000, 1'000'000}}) {
    SCOPED_TRACE(longest);
    std::string bytes;
    for (uint32_t id = 1; id <= frames; ++id) bytes += EchoFrame(id, "text " + std::to_string(id));
    RawPeer peer = ConnectAndGreet();
    for (size_t at = 0; at < bytes.size();) {
      const size_t size = std::min(1 + random() % longest, bytes.size() - at);
      ASSERT_TRUE(peer.Write(bytes.substr(at, size)));
      at += size;
      uv_run(loop_.uv(), UV_RUN_NOWAIT);
      peer.Read();
    }
    ASSERT_EQ(AnswerTo(peer, frames), Status());
    ASSERT_EQ(peer.frames().size(), frames + 1);  // With the hello.
    for (uint32_t id = 1; id <= frames; ++id) {
      ASSERT_EQ(TextOf(peer.frames()[id]), "text " + std::to_string(id));
    }
  }
}

TEST_F(FramingBoundsTest, T03_FrameOfExactlyTheLimitIsTakenAndOneWordMoreIsNot) {
  Limits limits;
  limits.max_frame_bytes = 4096;
  Serve(limits);
  EXPECT_EQ(OutcomeOf(EchoOfSize(4096 - 8)), Status());
  EXPECT_EQ(OutcomeOf(EchoOfSize(4096)), Status());
  EXPECT_TRUE(Says(OutcomeOf(EchoOfSize(4096 + 8)), StatusCode::kMalformed,
                   {"frame of 4104 bytes", "4096, Limits::max_frame_bytes"}));
}

TEST_F(FramingBoundsTest, T03_FrameOfOneWordIsNoMessage) {
  Serve();
  for (const std::string& word : {std::string(8, '\0'), std::string(8, '\xFF')}) {
    EXPECT_TRUE(Says(OutcomeOf(FrameAround(word)), StatusCode::kMalformed, {}));
  }
}

TEST_F(FramingBoundsTest, T06_FeaturesThatThisSideDoesNotKnowAreIgnored) {
  Serve();
  RawPeer peer = Connect();
  peer.Write(EnvelopeFrame([](auto envelope) {
    auto hello = envelope.initHello();
    hello.setMaxFrameBytes(1 << 20);
    hello.setMaxCalls(128);
    hello.setFeatures(~uint64_t{0});
  }));
  EXPECT_EQ(Echo(peer, 1), Status());
}

TEST_F(FramingBoundsTest, T07_AsManySegmentsAsAllowedAreTakenAndOneMoreIsNot) {
  Serve();
  for (const uint32_t count : {1U, 2U, 511U, 512U}) {
    RawPeer peer = Connect();
    peer.Write(HelloWithSegments(count));
    EXPECT_EQ(Echo(peer, 1), Status()) << count;
  }
  for (const uint32_t count : {513U, 10'000U}) {
    RawPeer peer = Connect();
    peer.Write(HelloWithSegments(count));
    EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed,
                     {std::to_string(count) + " segments", "512"}));
  }
}

}  // namespace
}  // namespace lwmsg::test
