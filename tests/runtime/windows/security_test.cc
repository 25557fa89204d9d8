// The security descriptor of a pipe, read back from the pipe (T85). Wine keeps it, but lets
// everybody in; who is kept out is in peer_policy_test.cc and pipe_security_test.cc.

#include "runtime/windows/security.h"

#include <aclapi.h>
#include <gmock/gmock.h>
#include <windows.h>

#include <cstdio>
#include <string>
#include <vector>

#include "runtime/pipe_security.h"
#include "runtime/windows/account.h"
#include "runtime/windows/peer_token.h"
#include "tests/support/inventory.h"

namespace lwmsg::internal {
namespace {

using ::testing::ElementsAre;

// "deny S-1-5-7 1f01ff".
std::string Show(const ACE_HEADER& entry) {
  const bool deny = entry.AceType == ACCESS_DENIED_ACE_TYPE;
  // Both kinds are laid out alike.
  const auto& ace = reinterpret_cast<const ACCESS_ALLOWED_ACE&>(entry);
  char mask[16];
  std::snprintf(mask, sizeof(mask), "%lx", ace.Mask);
  auto* sid = const_cast<DWORD*>(&ace.SidStart);
  return (deny ? "deny " : "allow ") + SidText(sid) + " " + mask;
}

class PipeDescriptorTest : public test::InventoriedTest {
 protected:
  static void SetUpTestSuite() { static_cast<void>(LocalAccountDomains()); }

  // The pipe has a name of its own for each test and process.
  static OsHandle MakePipe(const PipeSecurity& security) {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::string name =
        "\\\\.\\pipe\\lwmsg-" + std::to_string(GetCurrentProcessId()) + "-" + info->name();
    SECURITY_ATTRIBUTES attributes = security.attributes();
    HANDLE pipe = CreateNamedPipeA(name.c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE,
                                   PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, 2, 4096, 4096, 0,
                                   &attributes);
    EXPECT_NE(pipe, INVALID_HANDLE_VALUE) << GetLastError();
    return pipe == INVALID_HANDLE_VALUE ? OsHandle() : OsHandle(pipe);
  }

  static std::vector<std::string> EntriesOf(const OsHandle& pipe) {
    ACL* dacl = nullptr;
    void* descriptor = nullptr;
    EXPECT_EQ(GetSecurityInfo(pipe.get(), SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                              nullptr, &dacl, nullptr, &descriptor),
              DWORD{ERROR_SUCCESS});
    std::vector<std::string> entries;
    if (dacl == nullptr) {
      ADD_FAILURE() << "no DACL lets in everybody";
      return entries;
    }
    for (DWORD i = 0; i < dacl->AceCount; ++i) {
      void* entry = nullptr;
      EXPECT_NE(GetAce(dacl, i, &entry), 0);
      entries.push_back(Show(*static_cast<ACE_HEADER*>(entry)));
    }
    LocalFree(descriptor);
    return entries;
  }

  const std::string me_ = ReadOwnFacts()->sid;
};

TEST_F(PipeDescriptorTest, OwnerAndSystemOnly) {
  const auto security = PipeSecurity::Make({});
  ASSERT_TRUE(security) << security.error();
  const OsHandle pipe = MakePipe(*security);
  EXPECT_THAT(EntriesOf(pipe), ElementsAre("deny S-1-5-7 1f01ff", "allow " + me_ + " 1f01ff",
                                           "allow S-1-5-18 12019b"));
  const auto owner = OwnerOfPipe(pipe);
  ASSERT_TRUE(owner);
  EXPECT_TRUE(*owner == me_ || *owner == kAdministratorsSid) << *owner;
  EXPECT_EQ(security->policy().owner_sid, me_);
  EXPECT_EQ(security->attributes().bInheritHandle, FALSE);
}

TEST_F(PipeDescriptorTest, AGroupToo) {
  const auto security = PipeSecurity::Make({.mode = 0660, .group = "S-1-5-32-545"});
  ASSERT_TRUE(security) << security.error();
  EXPECT_EQ(security->policy().group_sid, "S-1-5-32-545");
  EXPECT_THAT(EntriesOf(MakePipe(*security)),
              ElementsAre("deny S-1-5-7 1f01ff", "allow " + me_ + " 1f01ff",
                          "allow S-1-5-18 12019b", "allow S-1-5-32-545 12019b"));
}

TEST_F(PipeDescriptorTest, EverybodyButTheNetwork) {
  const auto security = PipeSecurity::Make({.mode = 0666});
  ASSERT_TRUE(security) << security.error();
  EXPECT_THAT(
      EntriesOf(MakePipe(*security)),
      ElementsAre("deny S-1-5-7 1f01ff", "allow " + me_ + " 1f01ff", "allow S-1-5-18 12019b",
                  "allow S-1-1-0 12019b", "allow S-1-15-2-1 12019b"));
}

TEST_F(PipeDescriptorTest, AClientThatMayOnlyConnectSeesTheOwner) {
  const auto security = PipeSecurity::Make({.owner = me_});
  ASSERT_TRUE(security) << security.error();
  const OsHandle pipe = MakePipe(*security);
  const std::string name = "\\\\.\\pipe\\lwmsg-" + std::to_string(GetCurrentProcessId()) +
                           "-AClientThatMayOnlyConnectSeesTheOwner";
  const OsHandle client(CreateFileA(name.c_str(), kPipeClientAccess, 0, nullptr, OPEN_EXISTING,
                                    SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, nullptr));
  ASSERT_NE(client.get(), INVALID_HANDLE_VALUE) << GetLastError();
  EXPECT_EQ(OwnerOfPipe(client), me_);
  // It can do what a client does.
  char byte = 'x';
  DWORD count = 0;
  EXPECT_NE(WriteFile(client.get(), &byte, 1, &count, nullptr), 0) << GetLastError();
  EXPECT_NE(WriteFile(pipe.get(), &byte, 1, &count, nullptr), 0) << GetLastError();
  EXPECT_NE(ReadFile(client.get(), &byte, 1, &count, nullptr), 0) << GetLastError();
  DWORD mode = PIPE_READMODE_BYTE;
  EXPECT_NE(SetNamedPipeHandleState(client.get(), &mode, nullptr, nullptr), 0) << GetLastError();
  ServerPolicy policy;
  policy.own = *ReadOwnFacts();
  PeerFacts facts = OpenPeer(GetCurrentProcessId())->Facts();
  facts.pid_before = facts.pid_after = GetCurrentProcessId();
  EXPECT_EQ(MayServe(facts, OwnerOfPipe(client), policy), Status());
}

TEST_F(PipeDescriptorTest, WhatIsNoPipeHasNoOwner) { EXPECT_FALSE(OwnerOfPipe(OsHandle())); }

TEST_F(PipeDescriptorTest, AccountsThatAreMissingAreNamed) {
  EXPECT_EQ(PipeSecurity::Make({.owner = "nobody-of-this-name"}).error(),
            Status(StatusCode::kNotFound, "there is no user 'nobody-of-this-name'"));
  EXPECT_EQ(PipeSecurity::Make({.mode = 0660, .group = "nobody-of-this-name"}).error(),
            Status(StatusCode::kNotFound, "there is no group 'nobody-of-this-name'"));
  EXPECT_EQ(PipeSecurity::Make({.mode = 0660}).error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace lwmsg::internal
