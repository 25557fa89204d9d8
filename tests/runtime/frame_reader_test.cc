#include "runtime/frame_reader.h"

#include <gmock/gmock.h>

#include <cstring>
#include <random>

#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {
namespace {

using internal::FrameReader;
using ::testing::HasSubstr;

using Bytes = std::vector<std::byte>;

Bytes FrameBytes(OutgoingMessage message) {
  Bytes bytes;
  for (auto piece : message.Pieces()) {
    const auto* begin = reinterpret_cast<const std::byte*>(piece.begin());
    bytes.insert(bytes.end(), begin, begin + piece.size());
  }
  return bytes;
}

Bytes TextFrame(const std::string& text) {
  OutgoingMessage message = OutgoingMessage::ForCall(1, 0);
  message.payload().initAs<sample::Sample::EchoParams>().setText(text);
  return FrameBytes(std::move(message));
}

std::string TextOf(Frame frame) {
  auto message = IncomingMessage::Parse(std::move(frame), {});
  if (!message) return message.error().ToString();
  return message->payload().getAs<sample::Sample::EchoParams>().getText();
}

class FrameReaderTest : public InventoriedTest {
 protected:
  // Gives `bytes` as one read, as far as they fit; returns the texts of the frames, then the error.
  std::vector<std::string> Read(std::span<const std::byte> bytes,
                                std::vector<OsHandle> handles = {}) {
    const auto space = reader_.SpaceFor(shared_);
    const size_t in_frame = std::min(bytes.size(), space.frame.size());
    std::copy_n(bytes.begin(), in_frame, space.frame.begin());
    std::copy(bytes.begin() + static_cast<long>(in_frame), bytes.end(), space.shared.begin());
    reader_.Add(space, bytes.size(), std::move(handles));
    std::vector<std::string> texts;
    while (true) {
      auto frame = reader_.Next();
      if (!frame) {
        texts.push_back(frame.error().ToString());
        return texts;
      }
      if (!*frame) return texts;
      handle_counts_.push_back((*frame)->handles.size());
      texts.push_back(TextOf(std::move(**frame)));
    }
  }

  Limits limits_{.max_frame_bytes = 1 << 16, .max_frame_handles = 3};
  FrameReader reader_{limits_};
  Bytes shared_ = Bytes(1 << 18);
  std::vector<size_t> handle_counts_;
};

TEST_F(FrameReaderTest, WholeFramesOfOneRead) {
  Bytes bytes = TextFrame("one");
  for (const char* text : {"two", "three"}) {
    const Bytes more = TextFrame(text);
    bytes.insert(bytes.end(), more.begin(), more.end());
  }
  EXPECT_THAT(Read(bytes), ::testing::ElementsAre("one", "two", "three"));
  EXPECT_TRUE(reader_.at_boundary());
}

TEST_F(FrameReaderTest, AnySplitGivesTheSameFrames) {
  Bytes bytes;
  std::vector<std::string> texts;
  for (int i = 0; i < 50; ++i) {
    texts.push_back(std::string(static_cast<size_t>(i) * 37, 'x') + std::to_string(i));
    const Bytes more = TextFrame(texts.back());
    bytes.insert(bytes.end(), more.begin(), more.end());
  }
  std::mt19937 random(1);
  for (size_t largest : {1, 7, 100, 5000}) {
    std::vector<std::string> read;
    for (size_t at = 0; at < bytes.size();) {
      const size_t size = std::min(bytes.size() - at, 1 + random() % largest);
      for (auto& text : Read(std::span(bytes).subspan(at, size))) read.push_back(text);
      at += size;
    }
    EXPECT_EQ(read, texts) << "reads of up to " << largest;
  }
}

TEST_F(FrameReaderTest, BrokenHeadersAreRefused) {
  const Bytes good = TextFrame("x");
  struct Case {
    size_t offset;
    unsigned char value;
    const char* text;
  };
  for (const Case& c :
       {Case{0, 'X', "no lwmsg frame"}, Case{3, 9, "layout version 1"},
        Case{7, 0xFF, "65536, Limits::max_frame_bytes"}, Case{8, 4, "3, Limits::max_frame_handles"},
        Case{9, 1, "max_frame_handles"}, Case{10, 1, "not zero"}, Case{15, 1, "not zero"}}) {
    Bytes bad = good;
    bad[c.offset] = static_cast<std::byte>(c.value);
    reader_ = FrameReader(limits_);
    const auto read = Read(bad);
    ASSERT_EQ(read.size(), 1U) << c.offset;
    EXPECT_THAT(read[0], HasSubstr(c.text));
    EXPECT_THAT(read[0], HasSubstr("malformed"));
  }
}

TEST_F(FrameReaderTest, EmptyFrameIsRefused) {
  Bytes header = TextFrame("x");
  header.resize(16);
  header[4] = std::byte{0};
  header[5] = std::byte{0};
  EXPECT_THAT(Read(header)[0], HasSubstr("frame without a message"));
}

TEST_F(FrameReaderTest, HandlesGoToTheFrameThatCountsThem) {
  Bytes bytes;
  for (size_t count : {0, 2, 0, 1}) {
    Bytes frame = TextFrame("x");
    frame[8] = static_cast<std::byte>(count);
    bytes.insert(bytes.end(), frame.begin(), frame.end());
  }
  std::vector<OsHandle> handles;
  for (int i = 0; i < 3; ++i) handles.push_back(FileWith("x"));
  EXPECT_EQ(Read(bytes, std::move(handles)).size(), 4U);
  EXPECT_THAT(handle_counts_, ::testing::ElementsAre(0, 2, 0, 1));
}

TEST_F(FrameReaderTest, MissingAndSurplusHandlesAreRefused) {
  Bytes two = TextFrame("x");
  two[8] = std::byte{2};
  std::vector<OsHandle> one;
  one.push_back(FileWith("x"));
  EXPECT_THAT(Read(two, std::move(one))[0], HasSubstr("counts 2 OS handles, but 1"));

  reader_ = FrameReader(limits_);
  std::vector<OsHandle> surplus;
  surplus.push_back(FileWith("x"));
  EXPECT_THAT(Read(TextFrame("x"), std::move(surplus)).back(),
              HasSubstr("counts 0 OS handles, but 1"));
}

TEST_F(FrameReaderTest, HandlesOfAFrameUnderWayAreBounded) {
  Bytes two = TextFrame("x");
  two[8] = std::byte{2};
  std::vector<OsHandle> handles;
  for (int i = 0; i < 3; ++i) handles.push_back(FileWith("x"));
  EXPECT_THAT(Read(std::span(two).first(20), std::move(handles)).back(),
              HasSubstr("at most 2 belong"));
}

// T20.
TEST_F(FrameReaderTest, HandlesInTheMiddleOfAFrameAreRefused) {
  const auto some = [](int count) {
    std::vector<OsHandle> handles;
    while (count-- > 0) handles.push_back(FileWith("x"));
    return handles;
  };
  Bytes one = TextFrame("x");
  one[8] = std::byte{1};
  for (const size_t cut : {size_t{1}, size_t{15}, size_t{16}, one.size() - 1}) {
    for (const size_t size : {size_t{1}, one.size() - cut}) {
      reader_ = FrameReader(limits_);
      EXPECT_TRUE(Read(std::span(one).first(cut)).empty());
      EXPECT_THAT(Read(std::span(one).subspan(cut, size), some(1)).back(),
                  HasSubstr("1 OS handles came in the middle of a frame"));
    }
  }
  // Behind it one that counts them begins in the same read.
  reader_ = FrameReader(limits_);
  const Bytes none = TextFrame("none");
  EXPECT_TRUE(Read(std::span(none).first(20)).empty());
  Bytes both(none.begin() + 20, none.end());
  both.insert(both.end(), one.begin(), one.end());
  EXPECT_THAT(Read(both, some(1)), ::testing::ElementsAre("none", "x"));
  // Whose own does not.
  Bytes two(one.begin() + 20, one.end());
  two.insert(two.end(), one.begin(), one.end());
  EXPECT_TRUE(Read(std::span(one).first(20)).empty());
  EXPECT_THAT(Read(two, some(2)).back(), HasSubstr("in the middle of a frame"));
}

TEST_F(FrameReaderTest, LargeBodyIsReadToItsPlace) {
  const Bytes bytes = TextFrame(std::string(50'000, 'y'));
  Read(std::span(bytes).first(100));
  const auto space = reader_.SpaceFor(shared_);
  EXPECT_EQ(space.frame.size(), bytes.size() - 100);
  EXPECT_FALSE(reader_.at_boundary());
  EXPECT_EQ(Read(std::span(bytes).subspan(100)).at(0).size(), 50'000U);
}

// Records behind the body, as where a system cannot attach handles to bytes.
class FrameReaderRecordsTest : public FrameReaderTest {
 protected:
  struct Log final : internal::HandleRecords {
    Result<std::vector<OsHandle>> Receive(
        std::span<const internal::HandleRecord> records) override {
      frames.emplace_back(records.begin(), records.end());
      if (refuses) return Error(StatusCode::kMalformed, "refused handles");
      return std::vector<OsHandle>(records.size());
    }
    Status Control(std::span<const internal::HandleRecord> records) override {
      controls.emplace_back(records.begin(), records.end());
      return refuses ? Status(StatusCode::kMalformed, "refused control") : Status();
    }
    std::vector<std::vector<internal::HandleRecord>> frames;
    std::vector<std::vector<internal::HandleRecord>> controls;
    bool refuses = false;
  };

  FrameReaderRecordsTest() { Restart(); }
  void Restart() {
    log_ = Log();
    reader_ = FrameReader(limits_, &log_);
  }

  static internal::HandleRecord Record(uint32_t number) {
    return {number, number + 1, uint64_t{number} << 40 | 7};
  }
  // `text` empty: a frame without a body.
  static void Append(const std::string& text, std::initializer_list<uint32_t> records, Bytes& to) {
    Bytes frame = TextFrame(text.empty() ? "x" : text);
    if (text.empty()) {
      frame.resize(16);
      std::fill_n(frame.begin() + 4, 4, std::byte{0});
    }
    frame[8] = static_cast<std::byte>(records.size());
    for (const uint32_t record : records) internal::AppendRecord(Record(record), frame);
    to.insert(to.end(), frame.begin(), frame.end());
  }

  Log log_;
};

TEST_F(FrameReaderRecordsTest, AnyCutGivesTheSameFramesAndRecords) {
  Bytes bytes;
  Append("", {1}, bytes);
  Append("one", {2, 3}, bytes);
  Append("two", {}, bytes);
  Append("", {4, 5, 6}, bytes);
  Append("", {7}, bytes);
  Append("three", {8}, bytes);
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    Restart();
    auto read = Read(std::span(bytes).first(cut));
    for (auto& text : Read(std::span(bytes).subspan(cut))) read.push_back(text);
    ASSERT_THAT(read, ::testing::ElementsAre("one", "two", "three")) << cut;
    EXPECT_TRUE(reader_.at_boundary());
    using ::testing::ElementsAre;
    EXPECT_THAT(log_.frames,
                ElementsAre(ElementsAre(Record(2), Record(3)), ElementsAre(Record(8))));
    EXPECT_THAT(log_.controls,
                ElementsAre(ElementsAre(Record(1)), ElementsAre(Record(4), Record(5), Record(6)),
                            ElementsAre(Record(7))));
  }
  EXPECT_EQ(handle_counts_.size(), 3 * (bytes.size() + 1));
}

TEST_F(FrameReaderRecordsTest, ByteByByteGivesTheSame) {
  Bytes bytes;
  Append("one", {2, 3}, bytes);
  Append("", {4}, bytes);
  std::vector<std::string> read;
  for (const std::byte& byte : bytes) {
    for (auto& text : Read(std::span(&byte, 1))) read.push_back(text);
  }
  EXPECT_THAT(read, ::testing::ElementsAre("one"));
  EXPECT_THAT(log_.frames, ::testing::SizeIs(1));
  EXPECT_THAT(log_.controls, ::testing::SizeIs(1));
}

TEST_F(FrameReaderRecordsTest, WhatIsNotWholeIsNoFrame) {
  Bytes bytes;
  Append("one", {2}, bytes);
  EXPECT_THAT(Read(std::span(bytes).first(bytes.size() - 1)), ::testing::IsEmpty());
  EXPECT_FALSE(reader_.at_boundary());
  EXPECT_THAT(log_.frames, ::testing::IsEmpty());
}

TEST_F(FrameReaderRecordsTest, NeitherBodyNorRecordsIsRefused) {
  Bytes bytes;
  Append("", {}, bytes);
  EXPECT_THAT(Read(bytes)[0], HasSubstr("frame without a message"));
}

TEST_F(FrameReaderRecordsTest, RecordsAreLimitedAsHandlesAre) {
  for (const char* text : {"", "x"}) {
    Restart();
    Bytes bytes;
    Append(text, {1, 2, 3, 4}, bytes);
    EXPECT_THAT(Read(std::span(bytes).first(16))[0], HasSubstr("3, Limits::max_frame_handles"));
  }
  EXPECT_THAT(log_.controls, ::testing::IsEmpty());
}

TEST_F(FrameReaderRecordsTest, WhoRefusesRecordsEndsTheConnection) {
  for (const char* text : {"", "x"}) {
    Restart();
    log_.refuses = true;
    Bytes bytes;
    Append(text, {1}, bytes);
    EXPECT_THAT(Read(bytes), ::testing::ElementsAre(HasSubstr("refused")));
  }
}

}  // namespace
}  // namespace lwmsg::test
