// Windows' security identifiers, and the numbers that Cygwin gives to them.

#include "runtime/sid.h"

#include <gtest/gtest.h>

#include <map>

namespace lwmsg::internal {
namespace {

AccountDomains Domains() {
  AccountDomains domains;
  domains.machine = "S-1-5-21-1-2-3";
  domains.primary = "S-1-5-21-7-8-9";
  domains.logon = "S-1-5-5-0-77";
  return domains;
}

TEST(SidTest, TextGoesThereAndBack) {
  for (const char* text :
       {"S-1-0-0", "S-1-1-0", "S-1-5-18", "S-1-5-32-544", "S-1-5-21-0-0-0-1000", "S-1-16-8192",
        "S-1-5-21-4294967295-4294967294-1-500", "S-1-15-2-1", "S-1-0x123456789ABC-1",
        "S-1-4294967295-0", "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15"}) {
    const auto sid = Sid::Parse(text);
    ASSERT_TRUE(sid) << text;
    EXPECT_EQ(sid->ToString(), text);
  }
}

TEST(SidTest, EqualOnesHaveOneText) {
  EXPECT_EQ(Sid::Parse("s-1-0x5-0018")->ToString(), "S-1-5-18");
  EXPECT_EQ(Sid::Parse("S-1-5-0x12"), Sid::Parse("S-1-5-18"));
}

TEST(SidTest, WhatIsNoSidIsNone) {
  for (const char* text : {"",
                           "S",
                           "S-",
                           "S-1",
                           "S-1-",
                           "S-1-5",
                           "S-1-5-",
                           "S-2-5-18",
                           "S-1--5-18",
                           "S-1-5--18",
                           "S-1-5-18-",
                           "S-1-5-18 ",
                           " S-1-5-18",
                           "S-1-5-18x",
                           "S-1-x-18",
                           "S-1-5-+18",
                           "S-1-5-0x",
                           "S-1-5-4294967296",
                           "S-1-281474976710656-1",
                           "S-1-0x1000000000000-1",
                           "SY",
                           "SYSTEM",
                           "S-1-5-18)(A;;GA;;;WD",
                           "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"}) {
    EXPECT_FALSE(Sid::Parse(text)) << text;
  }
  EXPECT_FALSE(Sid::Parse(std::string_view("S-1-5-18\0", 9)));
}

// The first ones are the examples of the Cygwin User's Guide.
const std::map<std::string, uint32_t> kNumbers = {
    {"S-1-5-18", 18},
    {"S-1-5-32-545", 545},
    {"S-1-5-64-10", 0x4000A},
    {"S-1-2-0", 0x10200},
    {"S-1-3-1", 0x10301},
    {"S-1-5-11", 11},
    {"S-1-5-19", 19},
    {"S-1-5-1000", 1000},
    {"S-1-5-32-544", 544},
    {"S-1-1-0", 0x10100},
    {"S-1-0-0", 0x10000},
    {"S-1-5-5-0-77", 0xfff},
    {"S-1-16-0", 0x60000},
    {"S-1-16-8192", 0x62000},
    {"S-1-16-12288", 0x63000},
    {"S-1-5-21-1-2-3-500", 0x301f4},
    {"S-1-5-21-1-2-3-65535", 0x3ffff},
    {"S-1-5-21-7-8-9-513", 0x100201},
    {"S-1-5-21-7-8-9-1000000", 0x100000 + 1000000},
};

TEST(SidTest, HasCygwinsNumber) {
  for (const auto& [sid, id] : kNumbers) {
    EXPECT_EQ(UnixIdOf(sid, Domains()), id) << sid;
    EXPECT_EQ(SidOfUnixId(id, Domains()), sid) << id;
  }
}

TEST(SidTest, ForeignLogonSessionsShareANumber) {
  EXPECT_EQ(UnixIdOf("S-1-5-5-0-78", Domains()), 0xffeu);
  EXPECT_FALSE(SidOfUnixId(0xffe, Domains()));
  EXPECT_FALSE(UnixIdOf("S-1-5-5-0-77", AccountDomains())) << "whose session it is is not known";
}

TEST(SidTest, WhatHasNoNumberGetsNone) {
  for (const char* sid :
       {"", "SYSTEM", "S-1-5-21-4-5-6-500", "S-1-5-21-1-2-3", "S-1-5-21-1-2-3-500-1", "S-1-5-21-1",
        "S-1-5-80-1-2-3-4-5", "S-1-15-2-1", "S-1-12-1-1-2-3-4", "S-1-16-8192-1", "S-1-16-65536",
        "S-1-5-64-4096", "S-1-5-21-7-8-9-4294967295", "S-1-2-256", "S-1-256-0"}) {
    EXPECT_FALSE(UnixIdOf(sid, Domains())) << sid;
  }
  EXPECT_FALSE(UnixIdOf("S-1-5-21-1-2-3-500", AccountDomains()));
}

// Each of these, by the formula alone, would be one of the numbers above.
TEST(SidTest, NoAccountHasTheNumberOfAnother) {
  for (const char* sid :
       {"S-1-5-544", "S-1-5-32-18", "S-1-5-32-1000", "S-1-5-4095", "S-1-5-32-4095", "S-1-5-0-18",
        "S-1-5-48-500", "S-1-5-98-0", "S-1-5-256-513", "S-1-5-16-512", "S-1-5-16-256",
        "S-1-5-21-1-2-3-65546", "S-1-5-21-1-2-3-204800", "S-1-5-21-1-2-3-852481"}) {
    EXPECT_FALSE(UnixIdOf(sid, Domains())) << sid;
  }
}

TEST(SidTest, EachNumberLeadsBack) {
  for (uint32_t id = 0; id < 0x120000; id += id < 0x2000 ? 1 : 97) {
    const auto sid = SidOfUnixId(id, Domains());
    if (!sid) continue;
    ASSERT_EQ(UnixIdOf(*sid, Domains()), id);
  }
  EXPECT_FALSE(SidOfUnixId(0x30000 + 500, AccountDomains()));
  EXPECT_FALSE(SidOfUnixId(0x100000 + 500, AccountDomains()));
}

TEST(SidTest, ADomainsControllerHasAccountsOfTheDomainOnly) {
  AccountDomains domains = Domains();
  domains.primary = domains.machine;
  EXPECT_EQ(UnixIdOf("S-1-5-21-1-2-3-500", domains), 0x100000u + 500);
  EXPECT_FALSE(SidOfUnixId(0x30000 + 500, domains));
}

}  // namespace
}  // namespace lwmsg::internal
