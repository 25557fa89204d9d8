// Processes and their tokens, as this system tells. Other users are in peer_policy_test.cc.

#include "runtime/windows/peer_token.h"

#include <gmock/gmock.h>
#include <windows.h>

#include "runtime/platform.h"
#include "runtime/windows/account.h"
#include "runtime/windows/token_information.h"
#include "runtime/windows/wide_text.h"
#include "tests/support/inventory.h"

namespace lwmsg::internal {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::wstring OwnProgram() {
  std::wstring path(1024, L'\0');
  path.resize(GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
  return path;
}

// A process that has begun and does nothing until it is ended.
class IdleProcess {
 public:
  IdleProcess() {
    std::wstring line = L"\"" + OwnProgram() + L"\"";
    STARTUPINFOW start{};
    start.cb = sizeof(start);
    PROCESS_INFORMATION made{};
    if (CreateProcessW(nullptr, line.data(), nullptr, nullptr, FALSE, CREATE_SUSPENDED, nullptr,
                       nullptr, &start, &made) == 0) {
      ADD_FAILURE() << "no process: " << GetLastError();
      return;
    }
    process_ = OsHandle(made.hProcess);
    CloseHandle(made.hThread);
    pid_ = made.dwProcessId;
  }
  IdleProcess(const IdleProcess&) = delete;
  IdleProcess& operator=(const IdleProcess&) = delete;
  ~IdleProcess() { End(); }

  void End() {
    TerminateProcess(process_.get(), 1);
    WaitForSingleObject(process_.get(), 10'000);
  }
  uint32_t pid() const { return pid_; }

 private:
  OsHandle process_;
  uint32_t pid_ = 0;
};

class PeerTokenTest : public test::InventoriedTest {
 protected:
  // What is read once is not part of the inventory.
  static void SetUpTestSuite() { static_cast<void>(LocalAccountDomains()); }
};

TEST_F(PeerTokenTest, TellsWhoAProcessIs) {
  const IdleProcess process;
  const auto peer = OpenPeer(process.pid());
  ASSERT_TRUE(peer) << peer.error();
  const Token& token = peer->token;
  EXPECT_EQ(token.pid(), process.pid());
  ASSERT_TRUE(token.sid());
  EXPECT_TRUE(Sid::Parse(*token.sid())) << *token.sid();
  EXPECT_TRUE(token.integrity());
  EXPECT_TRUE(token.elevated());
  EXPECT_TRUE(token.app_container());
  ASSERT_TRUE(token.group_sids());
  EXPECT_THAT(*token.group_sids(), Contains("S-1-1-0")) << "everybody is in Everyone";
  for (const std::string& sid : *token.group_sids()) {
    EXPECT_THAT(sid, Not(HasSubstr("S-1-16-"))) << "an integrity level is no group";
  }
  DWORD session = 0;
  ASSERT_NE(ProcessIdToSessionId(process.pid(), &session), 0);
  EXPECT_EQ(token.logon_session(), session);
}

TEST_F(PeerTokenTest, NumbersAreThoseOfTheSids) {
  const Token token = OwnToken();
  ASSERT_TRUE(token.sid());
  EXPECT_EQ(token.euid(), UnixIdOf(*token.sid(), LocalAccountDomains()));
  std::vector<uint32_t> expected;
  for (const std::string& sid : *token.group_sids()) {
    if (const auto id = UnixIdOf(sid, LocalAccountDomains())) expected.push_back(*id);
  }
  EXPECT_EQ(*token.groups(), expected);
  EXPECT_TRUE(token.InGroup(0x10100)) << token;
}

TEST_F(PeerTokenTest, OwnTokenIsWhatAChildHas) {
  const IdleProcess child;
  const auto peer = OpenPeer(child.pid());
  ASSERT_TRUE(peer) << peer.error();
  const Token own = OwnToken();
  EXPECT_EQ(own.pid(), GetCurrentProcessId());
  EXPECT_EQ(own.sid(), peer->token.sid());
  EXPECT_EQ(own.euid(), peer->token.euid());
  EXPECT_EQ(own.egid(), peer->token.egid());
  EXPECT_EQ(own.integrity(), peer->token.integrity());
  const auto facts = ReadOwnFacts();
  ASSERT_TRUE(facts) << facts.error();
  EXPECT_EQ(facts->sid, own.sid());
  EXPECT_EQ(facts->integrity, own.integrity());
}

TEST_F(PeerTokenTest, ProcessBecomesSignalledWhenItEnds) {
  IdleProcess process;
  const auto peer = OpenPeer(process.pid());
  ASSERT_TRUE(peer) << peer.error();
  ASSERT_TRUE(peer->token.process().valid());
  EXPECT_EQ(WaitForSingleObject(peer->token.process().get(), 0), DWORD{WAIT_TIMEOUT});
  EXPECT_EQ(GetProcessId(peer->token.process().get()), process.pid());
  process.End();
  EXPECT_EQ(WaitForSingleObject(peer->token.process().get(), 10'000), DWORD{WAIT_OBJECT_0});
}

TEST_F(PeerTokenTest, TheTokensHandleTakesNoHandlesOutOfTheProcess) {
  const IdleProcess process;
  const auto peer = OpenPeer(process.pid());
  ASSERT_TRUE(peer) << peer.error();
  EXPECT_TRUE(peer->may_duplicate) << "a process of our own";
  HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  const OsHandle owner(event);
  HANDLE there = nullptr;
  EXPECT_EQ(DuplicateHandle(GetCurrentProcess(), event, peer->token.process().get(), &there, 0,
                            FALSE, DUPLICATE_SAME_ACCESS),
            0);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_ACCESS_DENIED});
  EXPECT_NE(DuplicateHandle(GetCurrentProcess(), event, peer->process.get(), &there, 0, FALSE,
                            DUPLICATE_SAME_ACCESS),
            0);
}

TEST_F(PeerTokenTest, AProcessThatHasEndedIsRefused) {
  IdleProcess process;
  process.End();
  // Its number stays its own, as the test holds it open: only waiting tells that it is dead.
  const auto peer = OpenPeer(process.pid());
  ASSERT_FALSE(peer);
  EXPECT_EQ(peer.error().code(), StatusCode::kUnavailable) << peer.error();
}

TEST_F(PeerTokenTest, ThereIsNoSuchProcess) {
  const auto peer = OpenPeer(0x7FFFFFF0);
  ASSERT_FALSE(peer);
  EXPECT_EQ(peer.error().code(), StatusCode::kUnavailable);
  EXPECT_EQ(peer.error().message(), "there is no process 2147483632 any more");
}

TEST_F(PeerTokenTest, BeganBeforeNowAndAfterThisProgram) {
  const uint64_t before = SystemTime();
  const IdleProcess process;
  const auto peer = OpenPeer(process.pid());
  ASSERT_TRUE(peer) << peer.error();
  // The clock of processes is as coarse as the system's ticks.
  constexpr uint64_t kTick = 500'000;
  EXPECT_GE(peer->created + kTick, before);
  EXPECT_LE(peer->created, SystemTime() + kTick);
  EXPECT_EQ(OpenPeer(process.pid())->created, peer->created);
}

TEST_F(PeerTokenTest, FactsAreEnoughForAPolicyOnceThePipeHasNamedThePid) {
  const IdleProcess process;
  const auto peer = OpenPeer(process.pid());
  ASSERT_TRUE(peer) << peer.error();
  Policy policy;
  policy.own = *ReadOwnFacts();
  policy.owner_sid = policy.own.sid;
  PeerFacts facts = peer->Facts();
  EXPECT_FALSE(MayConnect(facts, policy).ok()) << "no pipe has named it";
  facts.pid_before = facts.pid_after = process.pid();
  EXPECT_EQ(MayConnect(facts, policy), Status());
  facts.connected = facts.created_before.value() - 1;
  EXPECT_EQ(MayConnect(facts, policy).code(), StatusCode::kPermissionDenied);
}

TEST_F(PeerTokenTest, GroupsThatAreOffOrOnlyDenyDoNotCount) {
  HANDLE opened = nullptr;
  ASSERT_NE(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &opened), 0);
  const OsHandle token(opened);
  const TokenInformation<TOKEN_GROUPS> groups(token, TokenGroups);
  ASSERT_TRUE(groups);
  std::vector<std::string> expected;
  for (DWORD i = 0; i < groups->GroupCount; ++i) {
    const DWORD attributes = groups->Groups[i].Attributes;
    const bool grants =
        (attributes & SE_GROUP_ENABLED) != 0 && (attributes & SE_GROUP_USE_FOR_DENY_ONLY) == 0;
    const std::string sid = SidText(groups->Groups[i].Sid);
    if (grants && sid.find("S-1-16-") != 0) expected.push_back(sid);
  }
  EXPECT_EQ(*OwnToken().group_sids(), expected);
}

class AccountTest : public test::InventoriedTest {};

TEST_F(AccountTest, IsFoundBySidNumberAndName) {
  const Token own = OwnToken();
  EXPECT_EQ(*FindAccount("user", *own.sid()), *own.sid());
  EXPECT_EQ(*FindAccount("user", "18"), "S-1-5-18");
  EXPECT_EQ(*FindAccount("group", "544"), "S-1-5-32-544");
  // English, as Wine has them.
  if (const auto named = FindAccount("group", "Administrators")) {
    EXPECT_EQ(*named, "S-1-5-32-544");
  }
  std::wstring name(257, L'\0');
  DWORD size = static_cast<DWORD>(name.size());
  ASSERT_NE(GetUserNameW(name.data(), &size), 0);
  name.resize(size - 1);
  EXPECT_EQ(*FindAccount("user", ToUtf8(name)), *own.sid());
}

TEST_F(AccountTest, IsNotFound) {
  for (const char* name : {"nobody-of-this-name", "4294967295", "131072", "a\xFF"}) {
    const auto account = FindAccount("user", name);
    ASSERT_FALSE(account) << name << " is " << *account;
    EXPECT_EQ(account.error().code(), StatusCode::kNotFound) << account.error();
    EXPECT_THAT(account.error().message(), HasSubstr("there is no user '")) << name;
  }
}

}  // namespace
}  // namespace lwmsg::internal
