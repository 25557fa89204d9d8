#include "lwmsg/archive.h"
#include "tests/archive/archive_fixture.h"

namespace lwmsg::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ArchiveAppendTest : public ArchiveFixture {
 protected:
  // A finished record "one" and an appended one "two" that nobody finished; returns what was
  // appended.
  std::string AppendUnfinished() {
    WriteNotes({"one"});
    const std::string before = Content(Path());
    auto writer = ArchiveWriter::Append(Path(), Known());
    EXPECT_TRUE(writer) << writer.error();
    EXPECT_EQ(AddNote(*writer, "two"), Status());
    return Content(Path()).substr(before.size());
  }
};

TEST_F(ArchiveAppendTest, RecordsFollowThoseThatWereThere) {
  WriteNotes({"one"});
  for (const char* title : {"two", "three"}) {
    auto writer = ArchiveWriter::Append(Path(), Known());
    ASSERT_TRUE(writer) << writer.error();
    ASSERT_EQ(AddNote(*writer, title), Status());
    ASSERT_EQ(writer->Finish(), Status());
    EXPECT_EQ(writer->cut_bytes(), 0U);
  }
  EXPECT_THAT(Titles("a", {.strict = true}), ElementsAre("one", "two", "three"));
}

TEST_F(ArchiveAppendTest, WhatWasWrittenStaysWithoutFinish) {
  AppendUnfinished();
  EXPECT_THAT(Titles(), ElementsAre("one", "two"));
  auto reader = ArchiveReader::Open(Path());
  for (auto record = reader->Next(); record && *record; record = reader->Next()) {
  }
  EXPECT_FALSE(reader->finished());
  auto writer = ArchiveWriter::Append(Path(), Known());
  ASSERT_TRUE(writer) << writer.error();
  EXPECT_EQ(writer->records(), 2U);
}

TEST_F(ArchiveAppendTest, TornRecordIsCutAtEveryLength) {
  const std::string appended = AppendUnfinished();
  const std::string whole = Content(Path()).substr(0, Content(Path()).size() - appended.size());
  for (size_t length = 1; length < appended.size(); ++length) {
    SetContent(Path(), whole + appended.substr(0, length));
    EXPECT_THAT(Titles(), ElementsAre("one", HasSubstr("after 1 records: the file ends")));
    auto writer = ArchiveWriter::Append(Path(), Known());
    ASSERT_TRUE(writer) << length << ": " << writer.error();
    EXPECT_EQ(writer->cut_bytes(), length);
    ASSERT_EQ(AddNote(*writer, "three"), Status());
    ASSERT_EQ(writer->Finish(), Status());
    ASSERT_THAT(Titles(), ElementsAre("one", "three")) << length;
  }
}

TEST_F(ArchiveAppendTest, ZerosThatACrashLeftAreCut) {
  WriteNotes({"one"});
  SetContent(Path(), Content(Path()) + std::string(10000, '\0'));
  EXPECT_THAT(Titles(), ElementsAre("one", HasSubstr("only zeros from here on")));
  auto writer = ArchiveWriter::Append(Path(), Known());
  ASSERT_TRUE(writer) << writer.error();
  EXPECT_EQ(writer->cut_bytes(), 10000U);
  ASSERT_EQ(writer->Finish(), Status());
  EXPECT_THAT(Titles(), ElementsAre("one"));
}

// A flipped length must not pass for a torn end: all that comes after it would be cut off.
TEST_F(ArchiveAppendTest, DamageIsNeverCut) {
  AppendUnfinished();
  const std::string good = Content(Path());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0xff);
    SetContent(Path(), bad);
    auto writer = ArchiveWriter::Append(Path(), Known());
    EXPECT_FALSE(writer) << i;
    ASSERT_EQ(Content(Path()).size(), good.size()) << i;
  }
}

TEST_F(ArchiveAppendTest, SecondWriterIsRefused) {
  WriteNotes({"one"});
  {
    auto first = ArchiveWriter::Append(Path(), Known());
    ASSERT_TRUE(first) << first.error();
    EXPECT_EQ(ArchiveWriter::Append(Path(), Known()).error().code(), StatusCode::kUnavailable);
    ASSERT_EQ(first->Finish(), Status());
    EXPECT_TRUE(ArchiveWriter::Append(Path(), Known()));
  }
}

TEST_F(ArchiveAppendTest, OtherSchemaIsRefusedWithTheField) {
  WriteOtherVersion("struct Note @0xd2b40f6e81c3a579 { title @0 :Data; }",
                    "add @0 (note :Note) -> ();", 0, [](auto) {});
  auto writer = ArchiveWriter::Append(Path(), Known());
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(writer.error().message(),
              HasSubstr("field \"note.title\" is Text here and Data there"));
}

TEST_F(ArchiveAppendTest, OlderFileTakesOnlyTheMethodsThatItsSchemaHas) {
  WriteOtherVersion("struct Note @0xd2b40f6e81c3a579 { title @0 :Text; }",
                    "add @0 (note :Note) -> ();", 0, [](auto) {});
  auto writer = ArchiveWriter::Append(Path(), Known());
  ASSERT_TRUE(writer) << writer.error();
  EXPECT_EQ(AddNote(*writer, "new"), Status());
  capnp::MallocMessageBuilder message;
  EXPECT_EQ(writer->Write(message.initRoot<notes::Notes::TouchParams>()).code(),
            StatusCode::kFailedPrecondition);
  ASSERT_EQ(writer->Finish(), Status());
  EXPECT_THAT(Titles(), ElementsAre("", "new"));
}

}  // namespace
}  // namespace lwmsg::test
