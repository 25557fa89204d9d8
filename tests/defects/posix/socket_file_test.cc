#include <sys/stat.h>

#include "tests/defects/fixture.h"

// B and S: socket files.
namespace lwmsg::test {
namespace {

TEST_F(Defects, B08_PathThatFillsTheAddressIsRefusedOnBothSides) {
  Server server(loop_);
  ASSERT_EQ(server.Serve(sample_), Status());
  const auto named = [this](size_t size) {
    return folder_.Endpoint(std::string(size - folder_.Path("").size(), 'x'));
  };
  EXPECT_TRUE(Says(server.Listen(named(108)), StatusCode::kInvalidArgument, {"at most 107"}));
  EXPECT_TRUE(Says(EchoAt(named(108)), StatusCode::kInvalidArgument, {"at most 107"}));
  ASSERT_EQ(server.Listen(named(107)), Status());
  EXPECT_EQ(EchoAt(named(107)), Status());
}

TEST_F(Defects, S03_SocketFileNeverHasAWiderMode) {
  const mode_t old = umask(0);
  Server server(loop_);
  ASSERT_EQ(server.Serve(sample_), Status());
  EXPECT_EQ(server.Listen(folder_.Endpoint(), {.mode = 0600}), Status());
  EXPECT_EQ(server.Listen(folder_.Endpoint("t"), {.owner = "no such user"}).code(),
            StatusCode::kNotFound);
  umask(old);
  struct stat status{};
  ASSERT_EQ(lstat(folder_.Path("s").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_NE(lstat(folder_.Path("t").c_str(), &status), 0) << "listens without its owner";
}

}  // namespace
}  // namespace lwmsg::test
