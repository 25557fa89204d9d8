#include "lwmsg/archive.h"

#include <cstdlib>
#include <deque>
#include <filesystem>

#include "tests/archive/archive_fixture.h"

namespace lwmsg::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kNote =
    "struct Note @0xd2b40f6e81c3a579 { title @0 :Text; key @1 :Text; file @2 :Lwmsg.OsHandle; "
    "replies @3 :List(Note); }";
constexpr const char* kMethods =
    "add @0 (note :Note, pin :UInt32) -> (number :UInt32); get @1 (number :UInt32) -> Note; "
    "touch @2 (number :UInt32) $Lwmsg.oneway; latest @3 () -> Note; ";

TEST_F(ArchiveTest, C57_WriteRead) {
  const auto before = std::chrono::system_clock::now() - std::chrono::seconds(1);
  WriteNotes({"first"});
  auto reader = ArchiveReader::Open(Path(), Known());
  ASSERT_TRUE(reader) << reader.error();
  auto record = reader->Next();
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->protocol(), &notes::kNotesProtocol);
  EXPECT_STREQ((*record)->method_info()->name, "add");
  EXPECT_FALSE((*record)->is_reply());
  EXPECT_GE((*record)->time(), before);
  auto params = (*record)->As<AddParams>();
  ASSERT_TRUE(params) << params.error();
  EXPECT_EQ(params->getNote().getTitle(), "first");
  EXPECT_THAT((*record)->As<notes::Note>().error().message(),
              HasSubstr("the message of Notes.add call is a Notes.add$Params, not a Note"));
  record = reader->Next();
  ASSERT_TRUE(record);
  EXPECT_FALSE(*record);
  EXPECT_TRUE(reader->finished());
  EXPECT_EQ(reader->records(), 1U);
}

TEST_F(ArchiveTest, C58_ReadWithoutTheSchema) {
  WriteNotes({"first"});
  auto reader = ArchiveReader::Open(Path());
  ASSERT_TRUE(reader) << reader.error();
  auto record = reader->Next();
  ASSERT_TRUE(record && *record);
  EXPECT_THAT((*record)->ToString(), HasSubstr("Notes.add call (note = (title = \"first\""));
  EXPECT_EQ((*record)->method_info(), nullptr);
  EXPECT_EQ((*record)->As<AddParams>().error().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(reader->SchemaText(), HasSubstr("  touch @2 (number :UInt32) $oneway;\n"));
  // For run_tool.cmake.
  if (const char* copy = std::getenv("LWMSG_ARCHIVE_FOR_TOOL")) SetContent(copy, Content(Path()));
}

TEST_F(ArchiveTest, C59_SameSchemaIsCompatible) {
  WriteNotes({"first"});
  EXPECT_THAT(Titles("a", {.strict = true}), ElementsAre("first"));
}

TEST_F(ArchiveTest, C60_ProgramMayKnowMoreThanTheFile) {
  WriteOtherVersion("struct Note @0xd2b40f6e81c3a579 { title @0 :Text; }",
                    "add @0 (note :Note) -> ();", 0, [](auto params) {
                      params.init("note").template as<capnp::DynamicStruct>().set("title", "old");
                    });
  EXPECT_THAT(Titles("a", {.strict = true}), ElementsAre("old"));
}

TEST_F(ArchiveTest, C61_FileMayKnowMoreThanTheProgram) {
  WriteOtherVersion(kNote, std::string(kMethods) + "drop @4 (why :Text) -> ();", 4,
                    [](auto params) { params.set("why", "too old"); });
  auto reader = ArchiveReader::Open(Path(), Known());
  ASSERT_TRUE(reader) << reader.error();
  auto record = reader->Next();
  ASSERT_TRUE(record && *record) << record.error();
  EXPECT_EQ((*record)->ToString(), "Notes.drop call (why = \"too old\")");
  EXPECT_EQ((*record)->Dynamic().get("why").as<capnp::Text>(), "too old");
  EXPECT_EQ((*record)->method_info(), nullptr);
}

TEST_F(ArchiveTest, C62_StrictRefusesWhatTheProgramDoesNotKnow) {
  WriteOtherVersion(kNote, std::string(kMethods) + "drop @4 (why :Text) -> ();", 4,
                    [](auto params) { params.set("why", "too old"); });
  auto reader = ArchiveReader::Open(Path(), Known(), {.strict = true});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(reader.error().message(),
              HasSubstr("the method Notes.drop, which this program does not"));
  reader = ArchiveReader::Open(Path(), {}, {.strict = true});
  EXPECT_THAT(reader.error().message(),
              HasSubstr("the interface Notes, which this program does not"));
}

TEST_F(ArchiveTest, NewerFieldsAreKeptForTheFilesOwnSchema) {
  WriteOtherVersion(
      "struct Note @0xd2b40f6e81c3a579 { title @0 :Text; key @1 :Text; file @2 :AnyPointer; "
      "replies @3 :List(Note); more @4 :Text; }",
      "add @0 (note :Note) -> ();", 0, [](auto) {});
  EXPECT_THAT(Titles(),
              ElementsAre(HasSubstr("Notes.add params: field \"note.file\" is OsHandle here "
                                    "and AnyPointer there")));
  WriteOtherVersion(
      "struct Note @0xd2b40f6e81c3a579 { title @0 :Text; key @1 :Text; file @2 "
      ":Lwmsg.OsHandle; replies @3 :List(Note); more @4 :Text; }",
      "add @0 (note :Note) -> ();", 0, [](auto params) {
        auto note = params.init("note").template as<capnp::DynamicStruct>();
        note.set("title", "new");
        note.set("more", "and more");
      });
  EXPECT_THAT(Titles(), ElementsAre("new"));
  auto reader = ArchiveReader::Open(Path());
  EXPECT_THAT((**reader->Next()).ToString(), HasSubstr("more = \"and more\""));
}

// The file's schema has no replies, but its message has, a quarter of a billion that take no room.
TEST_F(ArchiveTest, FieldThatTheFilesSchemaLacksIsLimitedToo) {
  WriteOtherVersion(
      "struct Note @0xd2b40f6e81c3a579 { title @0 :Text; key @1 :Text; file @2 :Lwmsg.OsHandle; }",
      "add @0 (note :Note) -> ();", 0, [](auto params) {
        auto note = params.template as<capnp::AnyStruct>().getPointerSection()[0];
        note.initAsAnyStruct(0, 4).getPointerSection()[3].template initAs<capnp::List<capnp::Void>>(
            1U << 28);
      });
  auto reader = ArchiveReader::Open(Path(), Known());
  ASSERT_TRUE(reader) << reader.error();
  auto record = reader->Next();
  ASSERT_TRUE(record) << record.error();
  auto params = (**record).As<notes::Notes::AddParams>();
  ASSERT_FALSE(params);
  EXPECT_EQ(params.error().code(), StatusCode::kMalformed);
  EXPECT_THAT(params.error().message(), HasSubstr("note.replies"));
}

TEST_F(ArchiveTest, InterfacesThatNobodyCouldReadAreRefusedWhereTheyAreWritten) {
  std::deque<Protocol> many(257, notes::kNotesProtocol);
  std::vector<const Protocol*> interfaces;
  for (size_t i = 0; i < many.size(); ++i) {
    many[i].id += i;
    interfaces.push_back(&many[i]);
  }
  auto writer = ArchiveWriter::Create(Path(), interfaces);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(writer.error().message(), HasSubstr("has 257 interfaces; at most 256"));
}

TEST_F(ArchiveTest, AllKindsOfMessagesComeBack) {
  auto writer = ArchiveWriter::Create(Path(), Known());
  capnp::MallocMessageBuilder message;
  auto number = message.initRoot<notes::Notes::AddResults>();
  number.setNumber(7);
  ASSERT_EQ(writer->Write(number.asReader()), Status());
  auto touch = message.initRoot<notes::Notes::TouchParams>();
  ASSERT_EQ(writer->Write(touch), Status());
  auto note = message.initRoot<notes::Note>();
  note.setTitle("got");
  EXPECT_THAT(writer->Write(note).message(),
              HasSubstr("Note is the message of both Notes.get reply and Notes.latest reply"));
  ASSERT_EQ(writer->WriteReply(notes::kNotesProtocol, "latest", note), Status());
  EXPECT_THAT(writer->WriteCall(notes::kNotesProtocol, "latest", note).message(),
              HasSubstr("not a Note"));
  EXPECT_THAT(writer->WriteCall(notes::kNotesProtocol, "none", note).message(),
              HasSubstr("has no method \"none\""));
  ASSERT_EQ(writer->Finish(), Status());
  EXPECT_EQ(writer->records(), 3U);
  auto reader = ArchiveReader::Open(Path(), Known());
  std::vector<std::string> names;
  for (auto record = reader->Next(); record && *record; record = reader->Next()) {
    names.push_back((*record)->name());
  }
  EXPECT_THAT(names, ElementsAre("Notes.add reply", "Notes.touch call", "Notes.latest reply"));
}

TEST_F(ArchiveTest, SecretsAreLeftOutUnlessToldOtherwise) {
  for (const bool keep : {false, true}) {
    auto writer = ArchiveWriter::Create(Path(), Known(), {.keep_sensitive = keep});
    capnp::MallocMessageBuilder message;
    auto params = message.initRoot<AddParams>();
    params.setPin(0x70696e70);
    params.initNote().setKey("hunter2");
    params.getNote().initReplies(1)[0].setKey("hunter2");
    params.getNote().setTitle("kept");
    ASSERT_EQ(writer->Write(params), Status());
    ASSERT_EQ(writer->Finish(), Status());
    EXPECT_EQ(Content(Path()).find("hunter2") != std::string::npos, keep);
    EXPECT_EQ(Content(Path()).find("pnip") != std::string::npos, keep);
    EXPECT_THAT(Titles(), ElementsAre("kept"));
    // The message that was written is as it was.
    EXPECT_EQ(params.asReader().getNote().getKey(), "hunter2");
  }
}

TEST_F(ArchiveTest, OsHandlesAreCountedAndNotStored) {
  auto writer = ArchiveWriter::Create(Path(), Known());
  capnp::MallocMessageBuilder message;
  auto note = message.initRoot<AddParams>().initNote();
  note.initFile().setSlot(1);
  note.initReplies(2)[1].initFile().setSlot(2);
  ASSERT_EQ(writer->Write(message.getRoot<AddParams>()), Status());
  ASSERT_EQ(writer->Finish(), Status());
  auto reader = ArchiveReader::Open(Path(), Known());
  auto record = reader->Next();
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->dropped_handles(), 2U);
  EXPECT_EQ((*record)->As<AddParams>()->getNote().getFile().getSlot(), 0);
}

// What the annotations demand of a message on its way does not count for what was left out.
TEST_F(ArchiveTest, RequiredOsHandlesAndSecretsCanBeLeftOut) {
  auto writer = ArchiveWriter::Create(Path(), {&notes::kFilesProtocol});
  capnp::MallocMessageBuilder message;
  auto give = message.initRoot<notes::Files::GiveParams>();
  give.initFile().setSlot(1);
  give.setKey("hunter2");
  ASSERT_EQ(writer->Write(give), Status());
  ASSERT_EQ(writer->Finish(), Status());
  auto reader = ArchiveReader::Open(Path(), {&notes::kFilesProtocol});
  ASSERT_TRUE(reader) << reader.error();
  auto record = reader->Next();
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->dropped_handles(), 1U);
  EXPECT_TRUE((*record)->As<notes::Files::GiveParams>());
}

TEST_F(ArchiveTest, NewFileTakesItsNameOnlyWhenFinished) {
  WriteNotes({"old"});
  {
    auto writer = ArchiveWriter::Create(Path(), Known());
    ASSERT_EQ(AddNote(*writer, "new"), Status());
    ASSERT_EQ(writer->Sync(), Status());
    EXPECT_EQ(Files().size(), 2U);
    EXPECT_THAT(Titles(), ElementsAre("old"));
  }
  EXPECT_THAT(Files(), ElementsAre("a"));
  EXPECT_THAT(Titles(), ElementsAre("old"));
  WriteNotes({"new"});
  EXPECT_THAT(Files(), ElementsAre("a"));
  EXPECT_THAT(Titles(), ElementsAre("new"));
}

TEST_F(ArchiveTest, NothingIsWrittenAfterFinish) {
  auto writer = ArchiveWriter::Create(Path(), Known());
  ASSERT_EQ(writer->Finish(), Status());
  EXPECT_EQ(AddNote(*writer, "late").code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer->Finish().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Titles(), IsEmpty());
}

TEST_F(ArchiveTest, MissingFilesAndFoldersAreNotFound) {
  EXPECT_EQ(ArchiveReader::Open(Path("none")).error().code(), StatusCode::kNotFound);
  EXPECT_EQ(ArchiveWriter::Append(Path("none"), Known()).error().code(), StatusCode::kNotFound);
  EXPECT_EQ(ArchiveWriter::Create(Path("none/a"), Known()).error().code(), StatusCode::kNotFound);
}

TEST_F(ArchiveTest, DescriptorIsReadFromWhereItStands) {
  WriteNotes({"first"});
  SetContent(Path("b"), "before" + Content(Path()));
  OsHandle file = OpenFile(Path("b"));
  SetPosition(file, 6);
  auto reader = ArchiveReader::Open(std::move(file), Known());
  ASSERT_TRUE(reader) << reader.error();
  EXPECT_EQ((**reader->Next()).As<AddParams>()->getNote().getTitle(), "first");
}

TEST_F(ArchiveTest, RecordsOverTheLimitAreRefusedByBothSides) {
  auto writer = ArchiveWriter::Create(Path(), Known(), {.max_record_bytes = 1000});
  EXPECT_EQ(AddNote(*writer, std::string(1000, 'x')).code(), StatusCode::kResourceExhausted);
  ASSERT_EQ(AddNote(*writer, std::string(500, 'x')), Status());
  ASSERT_EQ(writer->Finish(), Status());
  EXPECT_THAT(Titles("a", {.max_record_bytes = 400}),
              ElementsAre(AllOf(HasSubstr("after 0 records"), HasSubstr("the limit is 400"))));
  EXPECT_THAT(Titles("a", {.max_schema_bytes = 400}),
              ElementsAre(AllOf(HasSubstr("offset 0"), HasSubstr("the limit is 400"))));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryIsKept = true;
#elif defined(__has_feature)
constexpr bool kMemoryIsKept = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kMemoryIsKept = false;
#endif

TEST_F(ArchiveTest, FileIsStreamedAndNotHeldInMemory) {
  constexpr int kRecords = 256;
  {
    auto writer = ArchiveWriter::Create(Path(), Known());
    const std::string title(size_t{256} << 10, 'x');
    for (int i = 0; i < kRecords; ++i) ASSERT_EQ(AddNote(*writer, title), Status());
    ASSERT_EQ(writer->Finish(), Status());
  }
  ASSERT_GT(std::filesystem::file_size(Path()), size_t{64} << 20);
  const size_t before = PeakMemory();
  auto reader = ArchiveReader::Open(Path(), Known());
  int count = 0;
  for (auto record = reader->Next(); record && *record; record = reader->Next()) ++count;
  EXPECT_EQ(count, kRecords);
  // Sanitizers keep what is freed.
  if (!kMemoryIsKept) {
    EXPECT_LT(PeakMemory() - before, size_t{8} << 20);
  }
}

}  // namespace
}  // namespace lwmsg::test
