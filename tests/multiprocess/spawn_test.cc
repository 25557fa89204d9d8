#include <fstream>

#include "tests/multiprocess/fixture.h"

// Programs that are started with one end of a pair.
namespace lwmsg::test {
namespace {

using testing::HasSubstr;

TEST_F(SpawnTest, ProcessThatWasNotSpawnedSoHasNoPair) {
  auto pair = TakeInheritedPair();
  ASSERT_FALSE(pair);
  EXPECT_EQ(pair.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(pair.error().message(), HasSubstr("lwmsg::SpawnWithPair"));
}

TEST_F(SpawnTest, MissingProgramIsNotFound) {
  auto child = SpawnWithPair({folder_.Path("no-such-program")});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code(), StatusCode::kNotFound);
  EXPECT_THAT(child.error().message(), HasSubstr(folder_.Path("no-such-program")));
}

TEST_F(SpawnTest, FileThatIsNoProgramIsPermissionDenied) {
  std::ofstream(folder_.Path("text")) << "text";
  auto child = SpawnWithPair({folder_.Path("text")});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(child.error().message(), HasSubstr(folder_.Path("text")));
}

TEST_F(SpawnTest, NoProgramAtAllIsAnInvalidArgument) {
  auto child = SpawnWithPair({});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace lwmsg::test
