#include "tests/multiprocess/posix/fixture.h"

namespace lwmsg::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// One user who takes all places that there are.
class CrowdTest : public MultiprocessTest {
 protected:
  Process Crowd(uid_t user, int clients) {
    return Process("occupy", {EndpointArgument(), "uid=" + std::to_string(user),
                              "clients=" + std::to_string(clients)});
  }
};

TEST_F(CrowdTest, T56_OfOneUserLeavesPlacesForOthers) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve", {EndpointArgument(), "mode=666"});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process crowd = Crowd(kAlice, 150);
  EXPECT_EQ(crowd.ReadLine(), "128 let in");
  EXPECT_THAT(crowd.ReadLine(),
              AllOf(StartsWith("resource exhausted: "),
                    HasSubstr("user 12345 has 128 associations, Limits::max_user_associations")));
  Process other = Crowd(kBob, 1);
  EXPECT_EQ(other.ReadLine(), "1 let in");
}

TEST_F(CrowdTest, OfManyUsersLeavesAPlaceForOneMore) {
  LWMSG_SKIP_UNLESS_ROOT();
  Process server("serve", {EndpointArgument(), "mode=666", "associations=8"});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process first = Crowd(kAlice, 8);
  EXPECT_EQ(first.ReadLine(), "4 let in");
  EXPECT_THAT(first.ReadLine(), HasSubstr("user 12345 has 4 associations, as many as are left for "
                                          "others of the 8 of Limits::max_associations"));
  Process second = Crowd(kBob, 8);
  EXPECT_EQ(second.ReadLine(), "2 let in");
  Process third = Crowd(kDave, 1);
  EXPECT_EQ(third.ReadLine(), "1 let in");
}

TEST_F(CrowdTest, OfTheServersOwnUserMayBeAsLargeAsAll) {
  Process server("serve", {EndpointArgument(), "associations=8"});
  ASSERT_EQ(server.ReadLine(), "ready");
  Process crowd("occupy", {EndpointArgument(), "clients=8"});
  EXPECT_EQ(crowd.ReadLine(), "8 let in");
}

}  // namespace
}  // namespace lwmsg::test
