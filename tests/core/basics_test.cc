#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <sstream>

#include "lwmsg/lwmsg.h"
#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"

// The values: status, endpoint, token, handles, session, function.
namespace lwmsg::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(StatusTest, ShowsCodeAndText) {
  std::ostringstream out;
  out << Status(StatusCode::kPermissionDenied, "only members of dialout") << "; " << Status();
  EXPECT_EQ(out.str(), "permission denied: only members of dialout; ok");
}

TEST(StatusTest, EveryWireNumberHasACode) {
  for (uint16_t number = 0; number <= 14; ++number) {
    EXPECT_EQ(static_cast<uint16_t>(StatusCodeFromWire(number)), number);
  }
  EXPECT_EQ(StatusCodeFromWire(15), StatusCode::kInternal);
  EXPECT_EQ(StatusCodeFromWire(65535), StatusCode::kInternal);
}

// Zero, where it means that, is for who asks for it.
TEST(LimitsTest, NoPeerMayTakeForeverByDefault) {
  const Limits defaults;
  for (const auto timeout : {defaults.idle_timeout, defaults.hello_timeout, defaults.frame_timeout,
                             defaults.send_timeout, defaults.call_timeout}) {
    EXPECT_GT(timeout, std::chrono::milliseconds(0));
    EXPECT_LE(timeout, std::chrono::seconds(30));
  }
}

TEST(EndpointTest, ParsesPathsAndAbstractNames) {
  auto path = Endpoint::Parse("unix:/run/a:b.sock");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->kind(), Endpoint::Kind::kPath);
  EXPECT_EQ(path->name(), "/run/a:b.sock");
  EXPECT_EQ(path->ToString(), "unix:/run/a:b.sock");
  auto abstract = Endpoint::Parse("unix-abstract:app");
  ASSERT_TRUE(abstract);
  EXPECT_EQ(abstract->kind(), Endpoint::Kind::kAbstract);
  EXPECT_EQ(abstract->ToString(), "unix-abstract:app");
}

TEST(EndpointTest, RefusesWhatItDoesNotKnow) {
  for (const std::string text : {"", "/run/a.sock", "tcp:localhost:1", "unix:", "unix-abstract:"}) {
    auto endpoint = Endpoint::Parse(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_EQ(endpoint.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(endpoint.error().message(), HasSubstr("'" + text + "'"));
  }
  EXPECT_FALSE(Endpoint::Parse(std::string_view("unix:a\0b", 8)));
}

TEST(TokenTest, UnknownEqualsNoNumber) {
  const Token unknown;
  EXPECT_FALSE(unknown.euid() == 0U);
  EXPECT_FALSE(unknown.InGroup(0));
  EXPECT_EQ(unknown.ToString(), "euid=unknown egid=unknown pid=unknown groups=unknown");
}

TEST(TokenTest, KnowsItsGroups) {
  TokenFacts facts;
  facts.euid = 1000;
  facts.egid = 100;
  facts.pid = 42;
  facts.groups = {4, 24};
  const Token token(std::move(facts));
  EXPECT_TRUE(token.InGroup(100));
  EXPECT_TRUE(token.InGroup(24));
  EXPECT_FALSE(token.InGroup(0));
  EXPECT_EQ(token.ToString(), "euid=1000 egid=100 pid=42 groups=4,24");
}

TEST(TokenTest, WindowsHasMoreToTell) {
  TokenFacts facts;
  facts.euid = 0x30000 + 1000;
  facts.egid = 0x30000 + 513;
  facts.pid = 42;
  facts.groups = {544};
  facts.sid = "S-1-5-21-1-2-3-1000";
  facts.group_sids = {"S-1-5-32-544", "S-1-1-0"};
  facts.integrity = 0x3000;
  facts.elevated = true;
  facts.logon_session = 2;
  facts.app_container = false;
  const Token token(std::move(facts));
  EXPECT_EQ(token.sid(), "S-1-5-21-1-2-3-1000");
  EXPECT_THAT(*token.group_sids(), ElementsAre("S-1-5-32-544", "S-1-1-0"));
  EXPECT_EQ(token.integrity(), 0x3000U);
  EXPECT_EQ(token.elevated(), true);
  EXPECT_EQ(token.logon_session(), 2U);
  EXPECT_EQ(token.app_container(), false);
  EXPECT_EQ(token.ToString(),
            "euid=197608 egid=197121 pid=42 groups=544 sid=S-1-5-21-1-2-3-1000 "
            "group_sids=S-1-5-32-544,S-1-1-0 integrity=high elevated=yes logon_session=2 "
            "app_container=no");
}

TEST(TokenTest, WhatWindowsDoesNotTellIsUnknownToo) {
  const Token unknown;
  EXPECT_FALSE(unknown.sid() == "");
  EXPECT_FALSE(unknown.group_sids());
  EXPECT_FALSE(unknown.integrity() == 0U);
  EXPECT_FALSE(unknown.elevated() == false);
  EXPECT_FALSE(unknown.logon_session() == 0U);
  EXPECT_FALSE(unknown.app_container() == false);
  TokenFacts facts;
  facts.group_sids.emplace();
  facts.integrity = 0x2100;
  EXPECT_THAT(Token(std::move(facts)).ToString(), HasSubstr(" group_sids=none integrity=8448"));
}

class OsHandleTest : public InventoriedTest {};

TEST_F(OsHandleTest, MovesAndCloses) {
  OsHandle a = FileWith("text");
  const OsHandle::Native number = a.get();
  OsHandle b = std::move(a);
  EXPECT_FALSE(a.valid());
  EXPECT_EQ(b.get(), number);
  b = FileWith("other");
  EXPECT_EQ(ReadAll(b), "other");
  OsHandle& same = b;
  b = std::move(same);
  EXPECT_TRUE(b.valid());
}

TEST_F(OsHandleTest, DuplicateIsAnotherOwnerOfTheSameFile) {
  const OsHandle a = FileWith("text");
  auto b = a.Duplicate();
  ASSERT_TRUE(b) << b.error();
  EXPECT_NE(a.get(), b->get());
  EXPECT_EQ(ReadAll(*b), "text");
  EXPECT_EQ(ReadAll(a), "");
  EXPECT_EQ(OsHandle().Duplicate().error().code(), StatusCode::kFailedPrecondition);
}

TEST_F(OsHandleTest, SettingAFieldTwiceClosesTheFirst) {
  OutgoingMessage message;
  capnp::MallocMessageBuilder scratch;
  auto slot = scratch.initRoot<schema::OsHandle>();
  message.handles().Put(slot, FileWith("first"));
  message.handles().Put(slot, FileWith("second"));
  EXPECT_EQ(message.handles().size(), 1U);
  EXPECT_EQ(ReadAll(message.handles().all()[0]), "second");
}

TEST(SessionTest, ObjectsAreFoundByIdKindAndType) {
  Session session(10);
  auto id = session.Register(1, std::make_shared<int>(7));
  ASSERT_TRUE(id);
  EXPECT_EQ(**session.Resolve<int>(1, *id), 7);
  EXPECT_EQ(session.Resolve<int>(2, *id).error().code(), StatusCode::kInvalidHandle);
  EXPECT_EQ(session.Resolve<char>(1, *id).error().code(), StatusCode::kInvalidHandle);
  EXPECT_EQ(session.Resolve<int>(1, *id + 1).error().code(), StatusCode::kInvalidHandle);
  EXPECT_EQ(session.Unregister(2, *id).code(), StatusCode::kInvalidHandle);
  EXPECT_TRUE(session.Unregister(1, *id).ok());
  EXPECT_EQ(session.Unregister(1, *id).code(), StatusCode::kInvalidHandle);
}

TEST(SessionTest, NoNameOfOneSessionIsANameInAnother) {
  Session first(10);
  Session second(10);
  auto id = first.Register(1, std::make_shared<int>(7));
  ASSERT_TRUE(second.Register(1, std::make_shared<int>(8)));
  EXPECT_EQ(second.Resolve<int>(1, *id).error().code(), StatusCode::kInvalidHandle);
}

TEST(SessionTest, DataGoesAfterTheObjects) {
  std::string order;
  struct Mark {
    ~Mark() { *order += name; }
    std::string* order;
    char name;
  };
  Session session(10);
  session.set_data(std::shared_ptr<Mark>(new Mark{&order, 'd'}));
  ASSERT_TRUE(session.Register(1, std::shared_ptr<Mark>(new Mark{&order, 'o'})));
  session.End();
  EXPECT_EQ(order, "od");
  EXPECT_EQ(session.data<Mark>(), nullptr);
  EXPECT_EQ(session.Register(1, std::make_shared<int>(1)).error().code(), StatusCode::kUnavailable);
}

TEST(SessionTest, IdsAreNeverUsedAgainAndUsersKeepTheirObject) {
  Session session(1);
  auto first = session.Register(1, std::make_shared<int>(1));
  auto object = session.Resolve<int>(1, *first);
  ASSERT_TRUE(session.Unregister(1, *first).ok());
  auto second = session.Register(1, std::make_shared<int>(2));
  EXPECT_NE(*first, *second);
  EXPECT_EQ(**object, 1);
  EXPECT_EQ(session.Register(1, std::make_shared<int>(3)).error().code(),
            StatusCode::kResourceExhausted);
}

TEST(ServiceTableTest, CollisionIsAnErrorAtSetUp) {
  SampleService one;
  SampleService two;
  ServiceTable table;
  EXPECT_TRUE(table.Add(one).ok());
  Status second = table.Add(two);
  EXPECT_EQ(second.code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(second.message(), HasSubstr("interface Sample"));
  EXPECT_EQ(table.entries().size(), 1U);
}

TEST(UniqueFunctionTest, HoldsWhatCanOnlyBeMoved) {
  UniqueFunction<int(int)> add = [base = std::make_unique<int>(40)](int n) { return *base + n; };
  UniqueFunction<int(int)> moved = std::move(add);
  EXPECT_FALSE(add);
  EXPECT_EQ(moved(2), 42);
}

TEST(UniqueFunctionTest, KeepsWhatIsSmallAndTrivialAsItMoves) {
  int sum = 0;
  UniqueFunction<void(int)> add = [&sum, factor = int64_t{2}](int n) { sum += factor * n; };
  UniqueFunction<void(int)> moved = [](int) { FAIL() << "was replaced"; };
  moved = std::move(add);
  EXPECT_FALSE(add);
  moved(21);
  EXPECT_EQ(sum, 42);
}

TEST(UniqueFunctionTest, LetsGoOfWhatItHeldAfterItHoldsTheNext) {
  UniqueFunction<int()> function;
  int seen = 0;
  auto owned = std::shared_ptr<void>(nullptr, [&](void*) { seen = function(); });
  function = [owned = std::move(owned)] { return 1; };
  function = [] { return 2; };
  EXPECT_EQ(seen, 2);
}

TEST(UniqueFunctionTest, EachIsDestroyedOnce) {
  const auto counted = std::make_shared<int>(0);
  {
    UniqueFunction<long()> one = [counted] { return counted.use_count(); };
    UniqueFunction<long()> two = std::move(one);
    EXPECT_EQ(two(), 2);
    two = {};
    EXPECT_EQ(counted.use_count(), 1);
    one = [counted, more = std::string("more")] { return counted.use_count(); };
    EXPECT_EQ(one(), 2);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

}  // namespace
}  // namespace lwmsg::test
