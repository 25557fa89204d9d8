// The simulation itself: it repeats, and it finds what is wrong.
#include "lwmsg/simulation.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lwmsg/internal/message_state.h"
#include "tests/simulation/scenario.h"

namespace lwmsg::test {
namespace {

using Act = Caller::Act;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

void RunAll(Simulation& simulation) {
  Scene scene(simulation);
  for (int i = 0; i < 3; ++i) {
    scene.Add({.reconnect = Reconnect::kOnNextCall}).caller->Plan(15);
  }
  simulation.OnStep([&] {
    if (simulation.OneIn(300)) scene.members.front().client->Lose();
    if (!simulation.OneIn(300)) return;
    scene.Distrust();
    scene.members.back().client->SendStray(SimulatedClient::Side::kServer);
  });
  scene.Finish();
}

std::vector<std::string> TraceOf(uint64_t seed) {
  std::vector<std::string> lines;
  SimulationOptions options;
  options.trace = [&lines](std::string_view line) { lines.emplace_back(line); };
  Simulation simulation(seed, options);
  RunAll(simulation);
  EXPECT_TRUE(simulation.status().ok()) << simulation.status();
  return lines;
}

TEST_F(SimulationTest, TheSameSeedDoesTheSameAgain) {
  const Seeds seeds(20);
  for (uint64_t i = 0; i < seeds.count; ++i) {
    const auto first = TraceOf(seeds.first + i);
    const auto second = TraceOf(seeds.first + i);
    ASSERT_EQ(first.size(), second.size());
    for (size_t line = 0; line < first.size(); ++line) ASSERT_EQ(first[line], second[line]);
  }
  EXPECT_NE(TraceOf(1), TraceOf(2));
}

TEST_F(SimulationTest, TheHashIsThatOfTheTrace) {
  uint64_t hashes[3] = {};
  for (int i = 0; i < 3; ++i) {
    Simulation simulation(i == 2 ? 8 : 7);
    RunAll(simulation);
    hashes[i] = simulation.trace_hash();
  }
  EXPECT_EQ(hashes[0], hashes[1]);
  EXPECT_NE(hashes[0], hashes[2]);
}

TEST_F(SimulationTest, StepsHaveTheNumbersFromOneOn) {
  Simulation simulation(1);
  Scene scene(simulation);
  scene.Add().caller->Plan(5);
  uint64_t steps = 0;
  simulation.OnStep(
      [&] { simulation.Expect(simulation.step() == ++steps, "no step is left out"); });
  simulation.Run();
  EXPECT_EQ(simulation.step(), steps);
  scene.Finish();
  EXPECT_TRUE(simulation.status().ok()) << simulation.status();
}

// LWMSG_SIMULATION_SEED as a test wants it, null for none; then again as it was.
class SeedVariable {
 public:
  explicit SeedVariable(const char* value) {
    if (const char* before = std::getenv(kName)) before_ = before;
    Set(value);
  }
  SeedVariable(const SeedVariable&) = delete;
  SeedVariable& operator=(const SeedVariable&) = delete;
  ~SeedVariable() { Set(before_ ? before_->c_str() : nullptr); }

 private:
  static constexpr const char* kName = "LWMSG_SIMULATION_SEED";
  static void Set(const char* value) {
    if (value != nullptr) return SetEnvironment(kName, value);
    UnsetEnvironment(kName);
  }
  std::optional<std::string> before_;
};

TEST_F(SimulationTest, AFailureHasTheSeedAndTheStepAndIsTheLast) {
  const SeedVariable none(nullptr);
  uint64_t runs = 0;
  const Status status = Simulate(50, [&](Simulation& simulation) {
    ++runs;
    simulation.Soon([&] {
      simulation.Expect(simulation.seed() != 5, "not the fifth");
      simulation.Expect(simulation.seed() != 5, "nor this");
    });
    simulation.Finish();
  });
  EXPECT_EQ(runs, 5u);
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_THAT(status.message(),
              AllOf(StartsWith("expected: not the fifth (in step "),
                    EndsWith(" of seed 5); LWMSG_SIMULATION_SEED=5 does it again")));
}

TEST_F(SimulationTest, WithoutSimulateTheEnvironmentIsNotSaidToDoItAgain) {
  Simulation simulation(5);
  simulation.Fail("something");
  EXPECT_EQ(simulation.Finish().message(), "something (in step 0 of seed 5)");
}

TEST_F(SimulationTest, TheEnvironmentChoosesTheSeed) {
  const SeedVariable seventeen("17");
  std::vector<uint64_t> seeds;
  const auto scenario = [&](Simulation& simulation) {
    seeds.push_back(simulation.seed());
    simulation.Finish();
  };
  EXPECT_TRUE(Simulate(50, scenario).ok());
  ExpectAllSeeds(Seeds(50), scenario);
  EXPECT_EQ(seeds, (std::vector<uint64_t>{17, 17}));
  EXPECT_EQ(Seeds(50).first, 17u);
  EXPECT_EQ(Seeds(50).count, 1u);
}

TEST_F(SimulationTest, AScenarioThatDoesNotFinishFailsAndNothingOfItIsRunLater) {
  const SeedVariable none(nullptr);
  bool ran = false;
  const Status status = Simulate(50, [&](Simulation& simulation) {
    const auto local = std::make_unique<bool>(true);
    simulation.Soon([&] { ran = *local; });
    simulation.After(milliseconds(1), [&] { ran = *local; });
    simulation.OnStep([&] { ran = *local; });
  });
  EXPECT_THAT(status.message(), HasSubstr("the scenario returned without Finish"));
  EXPECT_FALSE(ran);
}

TEST_F(SimulationTest, AFileThatIsStillOpenIsFound) {
  Simulation simulation(1);
  static_cast<void>(simulation.MakeHandle());
  OsHandle kept = simulation.MakeHandle();
  EXPECT_EQ(simulation.NumberOf(kept), 2u);
  EXPECT_THAT(simulation.Finish().message(), HasSubstr("handle 2 is still open"));
}

TEST_F(SimulationTest, ToAskForAFilesNumberLeavesItAsItIs) {
  Simulation simulation(1);
  const OsHandle counted = simulation.MakeHandle();
  OsPipe pipe = MakeOsPipe();
  EXPECT_EQ(simulation.NumberOf(pipe.writer), 0u);
  EXPECT_EQ(simulation.NumberOf(pipe.reader), 0u);
  EXPECT_EQ(simulation.NumberOf(OsHandle()), 0u);
  pipe.writer.Close();
  EXPECT_EQ(ReadAll(pipe.reader), "");
  OsPipe unread = MakeOsPipe();
  unread.reader.Close();
  EXPECT_EQ(simulation.NumberOf(unread.writer), 0u);
  EXPECT_EQ(simulation.NumberOf(*counted.Duplicate()), 1u);
}

TEST_F(SimulationTest, AFileThatSomebodyWroteToIsNotOpenForThat) {
  Simulation simulation(1);
  {
    const OsHandle file = simulation.MakeHandle();
    EXPECT_TRUE(WriteAll(file, "some"));
  }
  EXPECT_TRUE(simulation.Finish().ok()) << simulation.status();
}

TEST_F(SimulationTest, WhatNeverRestsIsFound) {
  SimulationOptions options;
  options.max_steps = 1000;
  Simulation simulation(1, options);
  std::function<void()> again = [&] { simulation.After(milliseconds(1), again); };
  again();
  EXPECT_THAT(simulation.Run().message(), HasSubstr("does not come to rest within 1000 steps"));
}

TEST_F(SimulationTest, TimePassesOnlyWhenNothingElseIsToDo) {
  Simulation simulation(1);
  bool late = false;
  simulation.After(std::chrono::hours(1), [&] { late = true; });
  EXPECT_TRUE(simulation.Run().ok());
  EXPECT_TRUE(late);
  EXPECT_GE(simulation.time(), std::chrono::hours(1));
  EXPECT_LT(simulation.time(), std::chrono::hours(1) + milliseconds(1));
}

constexpr uint16_t kNote = 3;  // The method's number.

std::string NoteFrame(const Protocol& protocol, uint64_t number) {
  OutgoingMessage message;
  auto call = message.state().envelope.initCall();
  call.setInterfaceId(protocol.id);
  call.setSchemaHash(protocol.schema_hash);
  call.setMethod(kNote);
  call.getParams().initAs<subject::Subject::NoteParams>().setNumber(number);
  std::string frame;
  for (auto piece : message.Pieces()) {
    frame.append(reinterpret_cast<const char*>(piece.begin()), piece.size());
  }
  return frame;
}

// Nothing else is due in the next seconds, so that time may jump.
TEST_F(SimulationTest, ABusyWorldHasTheTimeToTellOfAnEndAtTheDeadline) {
  ExpectAllSeeds(Seeds(500), [](Simulation& simulation) {
    int echos = 0;
    std::function<void()> again;
    PendingCall call;
    Scene scene(simulation);
    SimulatedClient& client = *scene.Add().client;
    again = [&] {
      auto echo = subject::SubjectClient(client).Echo();
      echo->setNumber(static_cast<uint64_t>(++echos));
      echo.Send([&](auto) {
        if (echos < 100) again();
      });
    };
    again();
    simulation.After(milliseconds(1), [&] { call.Cancel(); });
    auto late = subject::SubjectClient(client).Late();
    late->setNumber(1);
    late.set_timeout(milliseconds(1));
    call = late.Send([](auto) {});
    scene.Finish();
  });
}

TEST_F(SimulationTest, AllBytesThatSomebodySendsArriveInOnePiece) {
  ExpectAllSeeds(Seeds(20), [](Simulation& simulation) {
    Scene scene(simulation);
    SimulatedClient& client = *scene.Add().client;
    client.Connect();
    simulation.Run();
    scene.Distrust();
    std::string frames;
    for (uint64_t i = 0; i < 100; ++i) frames += NoteFrame(scene.service.protocol(), i);
    client.SendBytes(SimulatedClient::Side::kClient, frames);
    auto echo = subject::SubjectClient(client).Echo();
    echo->setNumber(1);
    bool answered = false;
    echo.Send([&](auto reply) { answered = reply.has_value(); });
    simulation.Run();
    simulation.Expect(scene.service.calls() == 101, "all frames arrive");
    simulation.Expect(answered, "what comes behind them arrives as well");
    simulation.Expect(simulation.NumberOf(simulation.MakeHandle()) == 1, "no file comes with them");
    scene.Finish();
  });
}

TEST_F(SimulationTest, AHandlerSeesTheClientsIdentity) {
  Simulation simulation(1);
  Scene scene(simulation, {.on_session = [](NewSession session) {
                if (session.peer().euid() == 4711u) return session.Accept();
                session.Refuse({StatusCode::kPermissionDenied, "not this one"});
              }});
  scene.Add({}, {Act::kEcho}).caller->DoOne();
  TokenFacts identity;
  identity.euid = 4711;
  SimulatedClient known(simulation, scene.server, {}, std::move(identity));
  auto echo = subject::SubjectClient(known).Echo();
  echo->setNumber(1);
  bool good = false;
  echo.Send([&](auto reply) { good = reply.has_value(); });
  scene.Finish();
  EXPECT_TRUE(simulation.status().ok()) << simulation.status();
  EXPECT_TRUE(good);
  EXPECT_EQ(scene.members.front().caller->good(), 0u);
}

}  // namespace
}  // namespace lwmsg::test
