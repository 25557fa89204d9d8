#include <cstring>

#include "lwmsg/archive.h"
#include "runtime/archive_block.h"
#include "runtime/archive_schema.h"
#include "tests/archive/archive_fixture.h"

namespace lwmsg::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ArchiveDamageTest : public ArchiveFixture {
 protected:
  // What a reader without the schema makes of it: the error, or OK.
  Status Read() {
    auto reader = ArchiveReader::Open(Path());
    if (!reader) return reader.error();
    auto record = reader->Next();
    while (record && *record) record = reader->Next();
    return record ? Status() : record.error();
  }
};

TEST_F(ArchiveDamageTest, ChecksumIsCrc32c) {
  const std::string digits = "123456789";
  EXPECT_EQ(
      internal::Crc32c({reinterpret_cast<const unsigned char*>(digits.data()), digits.size()}),
      0xe3069283U);
}

TEST_F(ArchiveDamageTest, FlippedByteAtEveryOffsetIsAnErrorWithItsPlace) {
  WriteNotes({"first", "second"});
  const std::string good = Content(Path());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (i % 2 == 0 ? 0x01 : 0xff));
    SetContent(Path(), bad);
    const Status status = Read();
    ASSERT_EQ(status.code(), StatusCode::kMalformed) << i;
    ASSERT_THAT(status.message(), AllOf(HasSubstr("offset "), HasSubstr(" records: "))) << i;
  }
}

TEST_F(ArchiveDamageTest, EveryTruncationIsAnErrorWithItsPlace) {
  WriteNotes({"first", "second"});
  const std::string good = Content(Path());
  for (size_t length = 0; length < good.size(); ++length) {
    SetContent(Path(), good.substr(0, length));
    const Status status = Read();
    ASSERT_EQ(status.code(), StatusCode::kMalformed) << length;
    ASSERT_THAT(status.message(), AllOf(HasSubstr("offset "), HasSubstr(" records: "))) << length;
  }
}

TEST_F(ArchiveDamageTest, RecordsBeforeTheDamageAreReadAndTheErrorStays) {
  WriteNotes({"first", "second"});
  std::string content = Content(Path());
  content[content.rfind("second")] = 'S';
  SetContent(Path(), content);
  EXPECT_THAT(Titles(), ElementsAre("first", HasSubstr("after 1 records: the checksum")));
  auto reader = ArchiveReader::Open(Path());
  ASSERT_TRUE(*reader->Next());
  const Status error = reader->Next().error();
  EXPECT_EQ(reader->Next().error(), error);
}

TEST_F(ArchiveDamageTest, RecordThatIsGoneOrTwiceIsFound) {
  WriteNotes({"first", "second", "second"});
  const std::string content = Content(Path());
  const size_t block = content.rfind("second") - content.find("second");
  const size_t start = content.find("LWA\x01", content.find("first"));
  SetContent(Path(), content.substr(0, start) + content.substr(start + block));
  EXPECT_THAT(Titles(), ElementsAre("first", "second", HasSubstr("the end counts 3 records")));
  SetContent(Path(), content.substr(0, start + block) + content.substr(start));
  EXPECT_THAT(Titles(), AllOf(SizeIs(5), ::testing::Contains(HasSubstr("the end counts 3"))));
}

TEST_F(ArchiveDamageTest, OtherFilesAreNoArchives) {
  for (const std::string& content :
       {std::string(), std::string("hello"), std::string(100, '\0'), std::string(100, 'x')}) {
    SetContent(Path(), content);
    EXPECT_THAT(Read().message(), HasSubstr("offset 0, after 0 records: "));
    EXPECT_FALSE(ArchiveWriter::Append(Path(), Known()));
    EXPECT_EQ(Content(Path()), content);
  }
}

// Right checksums do not make a file honest: every byte of the messages changed, checksums mended.
class HostileArchiveTest : public ArchiveDamageTest {
 protected:
  static std::string Mend(std::string block) {
    auto* bytes = reinterpret_cast<unsigned char*>(block.data());
    const auto put = [&](size_t at, uint32_t value) {
      for (int i = 0; i < 4; ++i) bytes[at + i] = static_cast<unsigned char>(value >> (8 * i));
    };
    put(8, internal::Crc32c({bytes + 16, block.size() - 16}));
    put(12, internal::Crc32c({bytes, 12}));
    return block;
  }
};

TEST_F(HostileArchiveTest, AnyChangedByteGivesAnAnswer) {
  WriteNotes({"first"});
  const std::string good = Content(Path());
  std::vector<size_t> starts;
  for (size_t at = 0; at != std::string::npos; at = good.find("LWA\x01", at + 1))
    starts.push_back(at);
  ASSERT_THAT(starts, SizeIs(3));
  starts.push_back(good.size());
  for (size_t block = 0; block + 1 < starts.size(); ++block) {
    for (size_t i = starts[block] + 16; i < starts[block + 1]; ++i) {
      std::string bad = good.substr(starts[block], starts[block + 1] - starts[block]);
      char& byte = bad[i - starts[block]];
      byte = static_cast<char>(byte ^ (i % 2 == 0 ? 0x01 : 0x80));
      SetContent(Path(),
                 good.substr(0, starts[block]) + Mend(bad) + good.substr(starts[block + 1]));
      auto reader = ArchiveReader::Open(Path());
      if (!reader) continue;
      static_cast<void>(reader->SchemaText());
      auto record = reader->Next();
      for (; record && *record; record = reader->Next()) {
        EXPECT_FALSE((*record)->ToString({.indented = true}).empty());
      }
      Titles();
    }
  }
}

TEST_F(HostileArchiveTest, OfMoreInterfacesThanAreLookedAtIsRefused) {
  capnp::MallocMessageBuilder message;
  message.initRoot<archive::Block>().initHeader().initInterfaces(257);
  const auto block = internal::MakeBlock(message);
  SetContent(Path(), std::string(block.begin(), block.end()));
  EXPECT_THAT(Read().message(), HasSubstr("has 257 interfaces; at most 256 are taken"));
}

}  // namespace
}  // namespace lwmsg::test
