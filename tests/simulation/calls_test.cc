// What callers and handlers do, in every order.
#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "tests/simulation/scenario.h"

namespace lwmsg::test {
namespace {

using Act = Caller::Act;
using std::chrono::milliseconds;

constexpr uint64_t kSeeds = 150;

TEST_F(SimulationTest, CallsEndOnceWhateverIsCancelledLateOrDropped) {
  const Seeds seeds(kSeeds);
  std::set<StatusCode> errors;
  size_t good = 0;
  ExpectAllSeeds(seeds, [&](Simulation& simulation) {
    Scene scene(simulation);
    for (int i = 0; i < 2; ++i) {
      scene.Add({}, {Act::kLate, Act::kLate, Act::kHurry, Act::kEcho}).caller->Plan(12);
    }
    scene.Finish();
    for (const auto& member : scene.members) {
      good += member.caller->good();
      errors.insert(member.caller->errors().begin(), member.caller->errors().end());
    }
  });
  if (!seeds.are_enough) return;
  // All that can become of a call was seen.
  EXPECT_GT(good, 0u);
  for (StatusCode code : {StatusCode::kCancelled, StatusCode::kDeadlineExceeded,
                          StatusCode::kAborted, StatusCode::kNotFound, StatusCode::kInternal}) {
    EXPECT_TRUE(errors.contains(code)) << StatusCodeName(code);
  }
}

TEST_F(SimulationTest, EverythingAtOnceKeepsTheProtocol) {
  const Seeds seeds(kSeeds);
  size_t good = 0;
  ExpectAllSeeds(seeds, [&](Simulation& simulation) {
    Scene scene(simulation);
    for (uint64_t i = 0; i < 1 + simulation.Random(3); ++i) scene.Add().caller->Plan(15);
    scene.Finish();
    for (const auto& member : scene.members) good += member.caller->good();
  });
  if (seeds.are_enough) {
    EXPECT_GT(good, kSeeds);
  }
}

TEST_F(SimulationTest, OneWayFloodsAreDroppedAtTheirLimit) {
  const Seeds seeds(kSeeds);
  size_t most = 0;
  ExpectAllSeeds(seeds, [&](Simulation& simulation) {
    ServerOptions options;
    options.limits.max_oneway_calls = 3;
    Scene scene(simulation, std::move(options));
    scene.service.KeepNotes();
    scene.Add({}, {Act::kNote, Act::kNote, Act::kNote, Act::kEcho})
        .caller->Plan(40, milliseconds(2));
    scene.Finish();
    simulation.Expect(scene.service.most_notes() <= 3, "no more one-way calls than the limit says");
    most = std::max(most, scene.service.most_notes());
  });
  if (seeds.are_enough) {
    EXPECT_EQ(most, 3u);
  }
}

TEST_F(SimulationTest, QueuesAtTheirLimitsLoseNoCall) {
  const Seeds seeds(kSeeds);
  std::set<StatusCode> errors;
  ExpectAllSeeds(seeds, [&](Simulation& simulation) {
    Scene scene(simulation, {.limits = SmallLimits()});
    for (int i = 0; i < 3; ++i) {
      // Some ask for more than the server gives.
      scene
          .Add({.limits = simulation.OneIn(2) ? SmallLimits() : Limits(),
                .reconnect = Reconnect::kOnNextCall})
          .caller->Plan(20, milliseconds(3));
    }
    scene.Finish();
    for (const auto& member : scene.members) {
      errors.insert(member.caller->errors().begin(), member.caller->errors().end());
    }
  });
  if (seeds.are_enough) {
    EXPECT_TRUE(errors.contains(StatusCode::kResourceExhausted));
  }
}

TEST_F(SimulationTest, StreamsBringTheirItemsInOrderAndWithinTheirCredit) {
  ExpectAllSeeds(Seeds(kSeeds), [](Simulation& simulation) {
    Scene scene(simulation);
    for (int i = 0; i < 2; ++i) {
      scene.Add({}, {Act::kCount, Act::kCount, Act::kEcho}).caller->Plan(6);
    }
    scene.Finish();
  });
}

TEST_F(SimulationTest, FilesArriveOnceOrAreClosed) {
  const Seeds seeds(kSeeds);
  SimulationOptions options;
  options.unsent_handles = 20;
  std::set<StatusCode> errors;
  ExpectAllSeeds(
      seeds,
      [&](Simulation& simulation) {
        Scene scene(simulation);
        for (int i = 0; i < 2; ++i) {
          scene.Add({}, {Act::kPass, Act::kPass, Act::kCount, Act::kEcho}).caller->Plan(10);
        }
        scene.Finish();
        for (const auto& member : scene.members) {
          errors.insert(member.caller->errors().begin(), member.caller->errors().end());
        }
      },
      options);
  if (seeds.are_enough) {
    EXPECT_TRUE(errors.contains(StatusCode::kResourceExhausted));
  }
}

TEST_F(SimulationTest, ObjectsEndWithTheirNamesOrTheirSession) {
  ExpectAllSeeds(Seeds(kSeeds), [](Simulation& simulation) {
    ServerOptions options;
    options.limits.max_objects = 4;
    if (simulation.OneIn(2)) {
      // Opens sessions late, or refuses some.
      options.on_session = [&simulation](NewSession session) {
        auto kept = std::make_shared<NewSession>(std::move(session));
        simulation.Soon([&simulation, kept] {
          if (simulation.OneIn(8)) return kept->Refuse({StatusCode::kPermissionDenied, "refused"});
          kept->Accept();
        });
      };
    }
    Scene scene(simulation, std::move(options));
    const SessionKey key = SessionKey::Random();
    for (int i = 0; i < 2; ++i) {
      scene
          .Add({.session = simulation.OneIn(2) ? std::optional(key) : std::nullopt},
               {Act::kObject, Act::kObject, Act::kObject, Act::kEcho})
          .caller->Plan(15);
    }
    simulation.Run();
    for (const auto& member : scene.members) member.caller->Forget();
    simulation.Run();
    simulation.Expect(scene.service.items_alive() == 0, "an object goes with its last name");
    scene.Finish();
  });
}

TEST_F(SimulationTest, ClientsAndServersMayGoInsideTheirOwnCallbacks) {
  ExpectAllSeeds(Seeds(kSeeds), [](Simulation& simulation) {
    auto scene = std::make_unique<Scene>(simulation);
    scene->Add().caller->Plan(10);
    auto& second = scene->Add();
    second.caller->Plan(10);
    // From a callback of its own, with the others' calls under way.
    auto late = subject::SubjectClient(*second.client).Late();
    late->setNumber(1);
    // What is planned for it still calls, over a channel to nowhere.
    late.Send([&](auto) { second.client.reset(); });
    simulation.After(milliseconds(5), [&] {
      if (simulation.OneIn(2)) scene->server.Stop();
    });
    scene->Finish();
  });
}

}  // namespace
}  // namespace lwmsg::test
