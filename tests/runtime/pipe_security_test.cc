// The security descriptors of pipes, as text (T85).

#include "runtime/pipe_security.h"

#include <gmock/gmock.h>

namespace lwmsg::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kMe = "S-1-5-21-1-2-3-1000";

Policy Mode(uint32_t mode) {
  Policy policy;
  policy.mode = mode;
  policy.owner_sid = kMe;
  policy.own = {kMe, 0x2000};
  return policy;
}

TEST(PipeSecurityTest, OwnerAndSystemOnly) {
  EXPECT_EQ(*PipeSddl(Mode(0600), kMe),
            "O:S-1-5-21-1-2-3-1000"
            "D:P(D;;FA;;;S-1-5-7)"
            "(A;;FA;;;S-1-5-21-1-2-3-1000)(A;;0x12019b;;;S-1-5-18)"
            "S:(ML;;NWNR;;;S-1-16-8192)");
}

TEST(PipeSecurityTest, AGroupToo) {
  Policy policy = Mode(0660);
  policy.group_sid = "S-1-5-32-545";
  EXPECT_EQ(*PipeSddl(policy, kMe),
            "O:S-1-5-21-1-2-3-1000G:S-1-5-32-545"
            "D:P(D;;FA;;;S-1-5-7)"
            "(A;;FA;;;S-1-5-21-1-2-3-1000)(A;;0x12019b;;;S-1-5-18)(A;;0x12019b;;;S-1-5-32-545)"
            "S:(ML;;NWNR;;;S-1-16-8192)");
}

TEST(PipeSecurityTest, EverybodyWithSandboxesButNotTheNetwork) {
  EXPECT_EQ(*PipeSddl(Mode(0666), "S-1-5-32-544"),
            "O:S-1-5-32-544"
            "D:P(D;;FA;;;S-1-5-7)"
            "(A;;FA;;;S-1-5-21-1-2-3-1000)(A;;0x12019b;;;S-1-5-18)"
            "(A;;0x12019b;;;S-1-1-0)(A;;0x12019b;;;S-1-15-2-1)"
            "S:(ML;;NW;;;S-1-16-0)");
}

TEST(PipeSecurityTest, AnotherOwnerConnectsButMakesNoInstances) {
  Policy policy = Mode(0600);
  policy.owner_sid = "S-1-5-21-1-2-3-1001";
  EXPECT_THAT(*PipeSddl(policy, policy.owner_sid),
              HasSubstr("(A;;FA;;;S-1-5-21-1-2-3-1000)(A;;0x12019b;;;S-1-5-18)"
                        "(A;;0x12019b;;;S-1-5-21-1-2-3-1001)S:"));
  policy.mode = 0400;
  EXPECT_THAT(*PipeSddl(policy, kMe), Not(HasSubstr("S-1-5-21-1-2-3-1001")));
}

TEST(PipeSecurityTest, SystemIsNamedOnce) {
  Policy policy = Mode(0600);
  policy.own = {"S-1-5-18", 0x4000};
  policy.owner_sid = "S-1-5-18";
  EXPECT_EQ(*PipeSddl(policy, "S-1-5-18"),
            "O:S-1-5-18D:P(D;;FA;;;S-1-5-7)(A;;FA;;;S-1-5-18)"
            "S:(ML;;NWNR;;;S-1-16-8192)");
}

TEST(PipeSecurityTest, ASandboxCannotGiveALabelAboveItsOwn) {
  Policy policy = Mode(0600);
  policy.own.integrity = 0x1000;
  EXPECT_THAT(*PipeSddl(policy, kMe), HasSubstr("S:(ML;;NWNR;;;S-1-16-4096)"));
}

TEST(PipeSecurityTest, ClientsMakeNoInstances) {
  constexpr uint32_t kCreatePipeInstance = 4;
  EXPECT_EQ(kPipeClientAccess & kCreatePipeInstance, 0U);
}

TEST(PipeSecurityTest, AGroupMustBeNamed) {
  const auto text = PipeSddl(Mode(0660), kMe);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(text.error().message(), HasSubstr("ListenOptions::group names none"));
  EXPECT_TRUE(PipeSddl(Mode(0666), kMe)) << "everybody needs no group";
}

TEST(PipeSecurityTest, NothingButASidGetsIn) {
  for (const char* text : {"", "WD", "s-1-5-18", "S-1-5-018", "S-1-1-0)(A;;GA;;;WD"}) {
    Policy policy = Mode(0660);
    policy.group_sid = "S-1-1-0";
    EXPECT_FALSE(PipeSddl(policy, text)) << text;
    policy.owner_sid = text;
    EXPECT_FALSE(PipeSddl(policy, kMe)) << text;
    policy = Mode(0660);
    policy.group_sid = text;
    EXPECT_FALSE(PipeSddl(policy, kMe)) << text;
    policy.own.sid = text;
    EXPECT_FALSE(PipeSddl(policy, kMe)) << text;
  }
}

}  // namespace
}  // namespace lwmsg::internal
