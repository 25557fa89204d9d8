// Ends of connections, servers and clients at many steps, and peers that break the rules.
#include <algorithm>
#include <map>

#include "tests/simulation/scenario.h"

namespace lwmsg::test {
namespace {

using Act = Caller::Act;
using std::chrono::milliseconds;
using Side = SimulatedClient::Side;

constexpr uint64_t kSeeds = 100;

// The number of steps of a run without any trouble, up to where it ends its clients and servers.
uint64_t StepsOf(uint64_t seed, const std::function<void(Scene&)>& scenario) {
  Simulation simulation(seed);
  Scene scene(simulation);
  scenario(scene);
  simulation.Run();
  const uint64_t steps = simulation.step();
  scene.Finish();
  EXPECT_TRUE(simulation.status().ok()) << simulation.status();
  return steps;
}

// Runs `scenario` again and again, with `trouble` before its first step, then its second and so on,
// or, of more than `most`, before each second, third...
void TroubleAtManySteps(uint64_t seed, uint64_t most, const std::function<void(Scene&)>& scenario,
                        const std::function<void(Scene&)>& trouble) {
  const uint64_t steps = StepsOf(seed, scenario);
  const uint64_t stride = std::max<uint64_t>(1, steps / most);
  for (uint64_t step = 1; step <= steps; step += stride) {
    Simulation simulation(seed);
    Scene scene(simulation);
    bool done = false;
    simulation.OnStep([&] {
      if (simulation.step() != step) return;
      done = true;
      trouble(scene);
    });
    scenario(scene);
    scene.Finish();
    ASSERT_TRUE(done) << "seed " << seed << " has no step " << step;
    ASSERT_TRUE(simulation.status().ok())
        << "trouble in step " << step << ": " << simulation.status();
  }
}

void SomeCalls(Scene& scene) {
  for (int i = 0; i < 2; ++i) {
    scene.Add({.reconnect = Reconnect::kOnNextCall}).caller->Plan(8, milliseconds(5));
  }
}

TEST_F(SimulationTest, AConnectionMayBeLostAtManySteps) {
  const Seeds seeds(4);
  for (uint64_t i = 0; i < seeds.count; ++i) {
    TroubleAtManySteps(seeds.first + i, 150, SomeCalls,
                       [](Scene& scene) { scene.members.front().client->Lose(); });
  }
}

TEST_F(SimulationTest, AServerMayCrashAtManySteps) {
  const Seeds seeds(4);
  for (uint64_t i = 0; i < seeds.count; ++i) {
    TroubleAtManySteps(seeds.first + i, 100, SomeCalls, [](Scene& scene) { scene.server.Crash(); });
  }
}

TEST_F(SimulationTest, APeerMayMisbehaveAtManySteps) {
  const Seeds seeds(4);
  for (uint64_t i = 0; i < seeds.count; ++i) {
    for (Side side : {Side::kClient, Side::kServer}) {
      TroubleAtManySteps(seeds.first + i, 100, SomeCalls, [side](Scene& scene) {
        scene.Distrust();
        auto& member = scene.members.front();
        member.client->SendStray(side);
      });
    }
  }
}

TEST_F(SimulationTest, AClientThatMisbehavesHarmsNoOther) {
  ExpectAllSeeds(Seeds(kSeeds), [](Simulation& simulation) {
    Scene scene(simulation);
    auto& bad = scene.Add({.reconnect = Reconnect::kOnNextCall});
    bad.caller->Plan(10);
    scene.Distrust();
    auto& good = scene.Add({}, {Act::kEcho});
    good.caller->Plan(10);
    simulation.OnStep([&] {
      if (simulation.OneIn(50)) bad.client->SendStray(Side::kClient);
    });
    scene.Finish();
    for (StatusCode code : good.caller->errors()) {
      simulation.Expect(code == StatusCode::kCancelled || code == StatusCode::kDeadlineExceeded,
                        "the other client only has its own doing");
    }
  });
}

TEST_F(SimulationTest, AConnectionThatIsMadeAgainAndAgainKeepsEachCall) {
  const Seeds seeds(kSeeds);
  size_t good = 0;
  ExpectAllSeeds(seeds, [&](Simulation& simulation) {
    Scene scene(simulation);
    scene.Add({.reconnect = Reconnect::kOnNextCall}).caller->Plan(20);
    simulation.OnStep([&] {
      if (simulation.OneIn(150)) scene.members.front().client->Lose();
      if (simulation.OneIn(600)) scene.server.Crash();
    });
    scene.Finish();
    good += scene.members.front().caller->good();
  });
  if (seeds.are_enough) {
    EXPECT_GT(good, kSeeds);
  }
}

// Whether a call that is to be answered may end so, if only its caller gives it up.
bool IsAnswered(StatusCode code) {
  return code == StatusCode::kOk || code == StatusCode::kCancelled ||
         code == StatusCode::kDeadlineExceeded;
}

TEST_F(SimulationTest, ADrainedServerAnswersWhatItBegan) {
  const Seeds seeds(kSeeds);
  size_t waited_for = 0;
  ExpectAllSeeds(seeds, [&](Simulation& simulation) {
    Scene scene(simulation);
    for (int i = 0; i < 2; ++i)
      scene.Add({}, {Act::kLate, Act::kEcho, Act::kCount}).caller->Plan(8);
    const bool waits = simulation.OneIn(2);
    bool drained = false;
    std::map<uint64_t, Decision> begun;
    simulation.After(milliseconds(simulation.Random(15)), [&] {
      begun = scene.service.decisions();
      for (const auto& member : scene.members) {
        for (const auto& [number, code] : member.caller->late()) begun.erase(number);
      }
      // Long before an hour: with the last call.
      scene.server.Drain(waits ? std::chrono::hours(1) : milliseconds(simulation.Random(30)), [&] {
        drained = true;
        simulation.Expect(scene.server.association_count() == 0, "a drained server has nobody");
      });
    });
    scene.Finish();
    simulation.Expect(drained, "a drain ends");
    simulation.Expect(simulation.time() < std::chrono::minutes(30), "it ends with the last call");
    for (const auto& [number, decision] : begun) {
      if (!waits || decision != Decision::kReply) continue;
      ++waited_for;
      const auto has = [&](const auto& member) {
        const auto ended = member.caller->late().find(number);
        return ended != member.caller->late().end() && IsAnswered(ended->second);
      };
      simulation.Expect(std::ranges::any_of(scene.members, has), "what was begun is answered");
    }
  });
  if (seeds.are_enough) {
    EXPECT_NE(waited_for, 0u);
  }
}

}  // namespace
}  // namespace lwmsg::test
