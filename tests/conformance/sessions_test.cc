#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/conformance/mode.h"

// What LWMsg's tests did not cover: the session's constructor and destructor.
namespace lwmsg::test {
namespace {

using ::testing::ElementsAre;

class SessionNotCoveredBefore : public ModeTest {
 protected:
  void StartWith(const std::function<void(NewSession)>& on_session) {
    Start([on_session] {
      ServerOptions options;
      options.on_session = on_session;
      return options;
    });
  }
  static Result<std::string> NameOf(const BlockingClient& client) {
    return conformance::TargetClient(client).Name().Sync().map(
        [](const auto& reply) { return std::string(reply.getName()); });
  }
};
INSTANTIATE_TEST_SUITE_P(Conformance, SessionNotCoveredBefore,
                         ::testing::Values(Mode::kLocal, Mode::kDirect, Mode::kPair), ModeName);

TEST_P(SessionNotCoveredBefore, ConstructorSeesTheTokenAndMakesTheData) {
  std::optional<uint32_t> euid;
  int made = 0;
  StartWith([&](NewSession session) {
    euid = session.peer().euid();
    session.Accept(std::make_shared<CallerData>(CallerData{"caller " + std::to_string(++made)}));
  });
  auto first = NewBlockingClient();
  EXPECT_EQ(NameOf(*first), "caller 1");
  EXPECT_EQ(NameOf(*first), "caller 1");
  auto second = NewBlockingClient();
  EXPECT_EQ(NameOf(*second), "caller 2");
  EXPECT_EQ(NameOf(*first), "caller 1");
  host_->Run([&](Server&) { EXPECT_EQ(euid, OwnUser()); });
}

TEST_P(SessionNotCoveredBefore, RefusalReachesTheCallsWithItsReason) {
  StartWith([](NewSession session) {
    session.Refuse(Status(StatusCode::kPermissionDenied, "not on Sundays"));
  });
  auto client = NewBlockingClient();
  const Status refused = Ping(*client);
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied) << refused;
  EXPECT_THAT(refused.message(), ::testing::HasSubstr("not on Sundays"));
}

TEST_P(SessionNotCoveredBefore, ConstructorThatForgetsToAnswerRefuses) {
  StartWith([](const NewSession& /*session*/) {});
  auto client = NewBlockingClient();
  EXPECT_EQ(Ping(*client).code(), StatusCode::kAborted);
}

TEST_P(SessionNotCoveredBefore, ConstructorMayAnswerLaterFromAnotherThread) {
  std::thread thread;
  StartWith([&thread](NewSession session) {
    thread = std::thread([session = std::move(session)]() mutable {
      session.Accept(std::make_shared<CallerData>(CallerData{"later"}));
    });
  });
  auto client = NewBlockingClient();
  EXPECT_EQ(NameOf(*client), "later");
  host_->Run([&thread](Server&) { thread.join(); });
}

// Tells when it goes.
struct Farewell {
  Farewell(std::string name_in, std::function<void(const std::string&)> gone_in)
      : name(std::move(name_in)), gone(std::move(gone_in)) {}
  Farewell(const Farewell&) = delete;
  Farewell& operator=(const Farewell&) = delete;
  ~Farewell() { gone(name); }

  std::string name;
  std::function<void(const std::string&)> gone;
};

TEST_P(SessionNotCoveredBefore, DataGoesAfterTheObjectsWithTheLastConnection) {
  Event gone;
  std::vector<std::string> order;
  auto note = [&](const std::string& name) {
    order.push_back(name);
    gone.Happen();
  };
  target_.on_state_gone = [&note] { note("object"); };
  StartWith(
      [&note](NewSession session) { session.Accept(std::make_shared<Farewell>("data", note)); });
  {
    auto client = NewBlockingClient();
    auto open = conformance::TargetClient(*client).Open().Sync();
    ASSERT_TRUE(open) << open.error();
    auto state = open->takeState();
    ASSERT_TRUE(state) << state.error();
    host_->Run([&order](Server&) { EXPECT_TRUE(order.empty()); });
    client->Close();
    ASSERT_TRUE(gone.Wait(2));
  }
  host_->Run([&order](Server&) { EXPECT_THAT(order, ElementsAre("object", "data")); });
}

}  // namespace
}  // namespace lwmsg::test
