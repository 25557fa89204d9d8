#include "tests/multiprocess/posix/fixture.h"

namespace lwmsg::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CrowdedDescriptorsTest : public MultiprocessTest {};

TEST_F(CrowdedDescriptorsTest, T26_TooManyOnTheWayFailOneCallAndNotTheConnection) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve", {EndpointArgument(), "mode=666"});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process client("give-crowded", {EndpointArgument(), "uid=" + std::to_string(kCarol)});
  EXPECT_EQ(client.ReadLine(), "give: ok, then: ok");
  const std::string crowded = client.ReadLine();
  EXPECT_THAT(crowded, StartsWith("give: resource exhausted: Sample.give: "));
  EXPECT_THAT(crowded, HasSubstr("RLIMIT_NOFILE"));
  EXPECT_THAT(crowded, HasSubstr(", then: ok"));
  EXPECT_EQ(client.ReadLine(), "give: ok, then: ok");
}

}  // namespace
}  // namespace lwmsg::test
