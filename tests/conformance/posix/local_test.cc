#include "tests/conformance/local.h"

#include <gmock/gmock.h>

// A socket file needs a folder.
namespace lwmsg::test {
namespace {

using ::testing::HasSubstr;

TEST_F(ConformanceLocal, C30_StartListenOnBadEndpointFails) {
  Host host(target_);
  const Status listening = host.Listen(folder_.Endpoint("missing/s"));
  EXPECT_EQ(listening.code(), StatusCode::kNotFound) << listening;
  EXPECT_THAT(listening.message(), HasSubstr("missing"));
}

}  // namespace
}  // namespace lwmsg::test
