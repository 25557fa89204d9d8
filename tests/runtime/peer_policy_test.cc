// Who may connect to a pipe and who may serve at one, on facts that Wine cannot make: other users,
// sandboxes, pids that were given away (T82, T83, T86).

#include "runtime/peer_policy.h"

#include <gmock/gmock.h>

#include <functional>

namespace lwmsg::internal {
namespace {

using ::testing::HasSubstr;

constexpr const char* kMe = "S-1-5-21-1-2-3-1000";
constexpr const char* kOther = "S-1-5-21-1-2-3-1001";
constexpr const char* kOperators = "S-1-5-21-1-2-3-2000";
constexpr const char* kAdministrators = "S-1-5-32-544";
constexpr const char* kSystem = "S-1-5-18";
constexpr uint32_t kPid = 4242;

// What a token tells, changed here and there.
struct Who {
  std::optional<std::string> sid = kMe;
  std::optional<std::vector<std::string>> groups = {{"S-1-1-0"}};
  std::optional<uint32_t> integrity = 0x2000;
  std::optional<bool> app_container = false;
  uint32_t pid = kPid;
};

PeerFacts Peer(const Who& who = {}) {
  TokenFacts token;
  token.sid = who.sid;
  token.group_sids = who.groups;
  token.integrity = who.integrity;
  token.app_container = who.app_container;
  token.pid = who.pid;
  PeerFacts peer;
  peer.token = Token(std::move(token));
  peer.alive = true;
  peer.pid_before = peer.pid_after = kPid;
  peer.created_before = peer.created_after = 1000;
  peer.connected = 2000;
  return peer;
}

// One whose process may not be opened.
PeerFacts Stranger() {
  PeerFacts peer;
  peer.pid_before = peer.pid_after = kPid;
  peer.connected = 2000;
  return peer;
}

Policy Mode(uint32_t mode) {
  Policy policy;
  policy.mode = mode;
  policy.owner_sid = kMe;
  policy.group_sid = kOperators;
  policy.own = {kMe, 0x2000};
  return policy;
}

void ExpectRefused(const Status& status, const std::string& fact, const std::string& change) {
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr(fact));
  EXPECT_THAT(status.message(), HasSubstr(change));
}

TEST(MayConnectTest, TheModeDecidesWhoComesIn) {
  const PeerFacts owner = Peer();
  const PeerFacts member = Peer({.sid = kOther, .groups = {{"S-1-1-0", kOperators}}});
  const PeerFacts other = Peer({.sid = kOther});
  const PeerFacts system = Peer({.sid = kSystem, .integrity = 0x4000});
  const PeerFacts administrator =
      Peer({.sid = kOther, .groups = {{kAdministrators}}, .integrity = 0x3000});
  struct {
    uint32_t mode;
    bool owner, member, other, system, administrator;
  } const rows[] = {
      {0600, true, false, false, true, false}, {0660, true, true, false, true, false},
      {0666, true, true, true, true, true},    {0400, false, false, false, true, false},
      {0640, true, false, false, true, false}, {0020, false, true, false, true, false},
      {0604, true, false, false, true, false}, {0, false, false, false, true, false},
  };
  for (const auto& row : rows) {
    const Policy policy = Mode(row.mode);
    EXPECT_EQ(MayConnect(owner, policy).ok(), row.owner) << row.mode;
    EXPECT_EQ(MayConnect(member, policy).ok(), row.member) << row.mode;
    EXPECT_EQ(MayConnect(other, policy).ok(), row.other) << row.mode;
    EXPECT_EQ(MayConnect(system, policy).ok(), row.system) << row.mode;
    EXPECT_EQ(MayConnect(administrator, policy).ok(), row.administrator) << row.mode;
  }
}

TEST(MayConnectTest, RefusalNamesTheUserAndTheMode) {
  const Status status = MayConnect(Peer({.sid = kOther}), Mode(0660));
  ExpectRefused(status, "user S-1-5-21-1-2-3-1001 may not connect",
                "ListenOptions::mode 0660 lets in SYSTEM, the owner S-1-5-21-1-2-3-1000, members "
                "of S-1-5-21-1-2-3-2000");
}

TEST(MayConnectTest, TheOwnerNeedNotBeThisUser) {
  Policy policy = Mode(0600);
  policy.owner_sid = kOther;
  EXPECT_TRUE(MayConnect(Peer({.sid = kOther}), policy).ok());
  EXPECT_FALSE(MayConnect(Peer(), policy).ok());
}

TEST(MayConnectTest, NoGroupHasNoMembers) {
  Policy policy = Mode(0660);
  policy.group_sid = "";
  EXPECT_FALSE(MayConnect(Peer({.sid = kOther, .groups = {{""}}}), policy).ok());
  EXPECT_FALSE(MayConnect(Peer({.sid = kOther, .groups = std::nullopt}), Mode(0660)).ok());
}

TEST(MayConnectTest, SandboxesOfTheOwnerComeInWithEverybodyOnly) {
  struct {
    Who who;
    const char* fact;
  } const rows[] = {
      {{.integrity = 0}, "its integrity level is 0x0, below 0x2000"},
      {{.integrity = 0x1000}, "its integrity level is 0x1000, below 0x2000"},
      {{.integrity = 0x1fff}, "its integrity level is 0x1fff, below 0x2000"},
      {{.integrity = std::nullopt}, "its integrity level is not known"},
      {{.app_container = true}, "it is in an app container"},
      {{.app_container = std::nullopt}, "it is not known whether it is in an app container"},
      // Nobody is let in by a name alone.
      {{.sid = kSystem, .integrity = 0x1000}, "its integrity level is 0x1000"},
  };
  for (const auto& row : rows) {
    ExpectRefused(MayConnect(Peer(row.who), Mode(0660)), row.fact, "0666 would let in everybody");
    EXPECT_TRUE(MayConnect(Peer(row.who), Mode(0666)).ok()) << row.fact;
  }
}

TEST(MayConnectTest, AServerInASandboxServesItsLike) {
  Policy policy = Mode(0600);
  policy.own.integrity = 0x1000;
  EXPECT_TRUE(MayConnect(Peer({.integrity = 0x1000}), policy).ok());
  EXPECT_FALSE(MayConnect(Peer({.integrity = 0}), policy).ok());
  policy.own.integrity = 0x3000;  // Elevated: the same user's other programs come in still.
  EXPECT_TRUE(MayConnect(Peer({.integrity = 0x2000}), policy).ok());
}

TEST(MayConnectTest, AnUnknownUserComesInWithEverybodyOnly) {
  ExpectRefused(MayConnect(Stranger(), Mode(0660)), "the user of process 4242 is not known",
                "0666 would let in everybody");
  EXPECT_TRUE(MayConnect(Stranger(), Mode(0666)).ok());
}

// In no mode: a peer that is not who it was.
TEST(MayConnectTest, AProcessThatChangedIsRefusedWhateverTheMode) {
  struct {
    std::function<void(PeerFacts&)> change;
    StatusCode code;
    const char* fact;
  } const rows[] = {
      {[](PeerFacts& p) { p.alive = false; }, StatusCode::kUnavailable, "ended while it was asked"},
      {[](PeerFacts& p) { p.pid_after = 4243; }, StatusCode::kPermissionDenied,
       "named process 4242, then process 4243"},
      {[](PeerFacts& p) { p.pid_after.reset(); }, StatusCode::kPermissionDenied,
       "named process 4242, then process unknown"},
      {[](PeerFacts& p) { p.pid_before.reset(), p.pid_after.reset(); },
       StatusCode::kPermissionDenied, "named process unknown"},
      {[](PeerFacts& p) { p.pid_before = p.pid_after = 0; }, StatusCode::kPermissionDenied,
       "named process 0"},
      {[](PeerFacts& p) { p.pid_before = p.pid_after = 7; }, StatusCode::kPermissionDenied,
       "process 7 connected, but process 4242 was looked at"},
      {[](PeerFacts& p) { p.created_after = 1001; }, StatusCode::kPermissionDenied,
       "its time of creation differs"},
      {[](PeerFacts& p) { p.created_before.reset(), p.created_after.reset(); },
       StatusCode::kPermissionDenied, "its time of creation differs"},
      {[](PeerFacts& p) { p.connected = 999; }, StatusCode::kPermissionDenied,
       "process 4242 began after the connection"},
      {[](PeerFacts& p) { p.remote = true; }, StatusCode::kPermissionDenied, "on another machine"},
  };
  for (const auto& row : rows) {
    for (const uint32_t mode : {0600U, 0660U, 0666U}) {
      PeerFacts peer = Peer();
      row.change(peer);
      const Status status = MayConnect(peer, Mode(mode));
      EXPECT_EQ(status.code(), row.code) << row.fact;
      EXPECT_THAT(status.message(), HasSubstr(row.fact));
      EXPECT_EQ(MayServe(peer, kMe, {}).code(), row.code) << row.fact;
    }
  }
  PeerFacts stranger = Stranger();
  stranger.remote = true;
  EXPECT_FALSE(MayConnect(stranger, Mode(0666)).ok());
  stranger = Stranger();
  stranger.pid_after = 4243;
  EXPECT_FALSE(MayConnect(stranger, Mode(0666)).ok());
}

ServerPolicy Wants(std::optional<uint32_t> euid) {
  ServerPolicy policy;
  policy.server_euid = euid;
  policy.own = {kMe, 0x2000};
  policy.domains.machine = "S-1-5-21-1-2-3";
  return policy;
}

TEST(MayServeTest, ByDefaultThisUserSystemAndElevatedAdministrators) {
  const ServerPolicy policy = Wants(std::nullopt);
  const PeerFacts me = Peer();
  const PeerFacts system = Peer({.sid = kSystem, .integrity = 0x4000});
  const PeerFacts elevated =
      Peer({.sid = kOther, .groups = {{kAdministrators}}, .integrity = 0x3000});
  EXPECT_TRUE(MayServe(me, kMe, policy).ok());
  EXPECT_TRUE(MayServe(me, kAdministrators, policy).ok()) << "this user's elevated program";
  EXPECT_TRUE(MayServe(system, kSystem, policy).ok());
  EXPECT_TRUE(MayServe(system, kAdministrators, policy).ok());
  EXPECT_TRUE(MayServe(elevated, kAdministrators, policy).ok());
  EXPECT_TRUE(MayServe(Stranger(), kSystem, policy).ok()) << "may not be opened by everybody";
  EXPECT_TRUE(MayServe(Stranger(), kAdministrators, policy).ok());
}

TEST(MayServeTest, ASquatterIsRefused) {
  const ServerPolicy policy = Wants(std::nullopt);
  ExpectRefused(MayServe(Peer({.sid = kOther}), kOther, policy),
                "the pipe belongs to S-1-5-21-1-2-3-1001",
                "name its user in ClientOptions::server_euid");
  // It arranged that the pipe names a process of somebody else.
  ExpectRefused(MayServe(Peer({.sid = kSystem, .integrity = 0x4000}), kOther, policy),
                "the pipe belongs to S-1-5-21-1-2-3-1001", "server_euid");
  ExpectRefused(MayServe(Peer(), kOther, policy), "the pipe belongs to", "server_euid");
  // A pipe of ours in a process of another user.
  ExpectRefused(MayServe(Peer({.sid = kOther}), kMe, policy), "the server's user is",
                "server_euid");
  ExpectRefused(MayServe(Stranger(), kMe, policy), "the server's process is not known",
                "server_euid");
  ExpectRefused(MayServe(Stranger(), kOther, policy), "the pipe belongs to", "server_euid");
  // Services of few rights are not trusted because they are services.
  ExpectRefused(MayServe(Peer({.sid = "S-1-5-19"}), "S-1-5-19", policy), "S-1-5-19", "server_euid");
}

TEST(MayServeTest, AnybodyIfTheClientSaysSoAndNamesNoUser) {
  ServerPolicy policy = Wants(std::nullopt);
  policy.any_server = true;
  EXPECT_TRUE(MayServe(Peer({.sid = kOther}), kOther, policy).ok());
  EXPECT_TRUE(MayServe(Stranger(), std::nullopt, policy).ok());
  PeerFacts remote = Stranger();
  remote.remote = true;
  EXPECT_FALSE(MayServe(remote, kOther, policy).ok());
  policy.server_euid = 0;
  ExpectRefused(MayServe(Peer({.sid = kOther}), kOther, policy), "the pipe belongs to",
                "server_euid");
}

TEST(MayServeTest, WithoutAnOwnerNobody) {
  ExpectRefused(MayServe(Peer(), std::nullopt, Wants(std::nullopt)), "to whom the pipe belongs",
                "");
  ExpectRefused(MayServe(Peer(), std::nullopt, Wants(0x30000 + 1000)), "to whom the pipe belongs",
                "");
}

TEST(MayServeTest, ASandboxOfThisUserIsRefused) {
  ExpectRefused(MayServe(Peer({.integrity = 0x1000}), kMe, Wants(std::nullopt)), "integrity", "");
  ExpectRefused(MayServe(Peer({.app_container = true}), kMe, Wants(0x30000 + 1000)),
                "app container", "");
}

TEST(MayServeTest, TheUserThatIsAskedForAndNoOther) {
  const ServerPolicy policy = Wants(0x30000 + 1001);
  const PeerFacts other = Peer({.sid = kOther});
  EXPECT_TRUE(MayServe(other, kOther, policy).ok());
  EXPECT_TRUE(MayServe(other, kAdministrators, policy).ok());
  EXPECT_TRUE(MayServe(Stranger(), kOther, policy).ok());
  ExpectRefused(MayServe(Peer(), kMe, policy), "the pipe belongs to S-1-5-21-1-2-3-1000",
                "not the wanted user 197609");
  ExpectRefused(MayServe(Peer(), kOther, policy), "the server's user is S-1-5-21-1-2-3-1000",
                "197609");
  ExpectRefused(MayServe(other, kMe, policy), "the pipe belongs to", "197609");
  ExpectRefused(MayServe(Peer({.sid = kSystem}), kSystem, policy), "the server's user is S-1-5-18",
                "197609");
  ExpectRefused(MayServe(Stranger(), kAdministrators, policy), "is not known", "197609");
}

// Two users without a number are not the same user.
TEST(MayServeTest, AUserWithoutANumberIsNotAskedFor) {
  const char* foreign = "S-1-5-21-9-9-9-1001";
  EXPECT_FALSE(MayServe(Peer({.sid = foreign}), foreign, Wants(0x30000 + 1001)).ok());
}

}  // namespace
}  // namespace lwmsg::internal
