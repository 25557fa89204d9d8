#include "lwmsg/archive.h"

#include <sys/stat.h>

#include "tests/archive/archive_fixture.h"

// Modes of files.
namespace lwmsg::test {
namespace {

TEST_F(ArchiveTest, ModeIsThatOfTheOptions) {
  const mode_t umask_before = umask(0077);
  WriteNotes({});
  struct stat private_file{};
  ASSERT_EQ(stat(Path().c_str(), &private_file), 0);
  EXPECT_EQ(private_file.st_mode & 07777, 0600U);
  auto writer = ArchiveWriter::Create(Path("b"), Known(), {.mode = 0644});
  ASSERT_EQ(writer->Finish(), Status());
  struct stat public_file{};
  ASSERT_EQ(stat(Path("b").c_str(), &public_file), 0);
  EXPECT_EQ(public_file.st_mode & 07777, 0644U);
  umask(umask_before);
}

}  // namespace
}  // namespace lwmsg::test
