#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "lwmsg/simulation.h"
#include "tests/simulation/caller.h"
#include "tests/simulation/subject_service.h"
#include "tests/support/inventory.h"

namespace lwmsg::test {

using SimulationTest = InventoriedTest;

// How many seeds a test tries, and from which on: LWMSG_SIMULATION_SEED alone, or what
// tests/simulation/run says, or else `usual` from 1.
struct Seeds {
  explicit Seeds(uint64_t usual);
  uint64_t count;
  uint64_t first;
  // Not fewer than usual: what must happen with one of them does.
  bool are_enough;
};

// A server of Subject and callers of it. For one run.
class Scene {
 public:
  explicit Scene(Simulation& simulation, ServerOptions options = {});
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  struct Member {
    std::unique_ptr<Caller> caller;  // Outlives what it calls with.
    std::unique_ptr<SimulatedClient> client;
  };
  // One more client, which serves Listener, and its caller.
  Member& Add(ClientOptions options = {}, std::vector<Caller::Act> acts = Caller::All());
  // The end, and what must be true then.
  void Finish();

  void CheckHandlers();

  Simulation& simulation;
  SubjectService service;
  ListenerService listener;
  SimulatedServer server;
  std::list<Member> members;
  // Stray frames may come: of what they do to their own connections nothing is expected.
  void Distrust();
  bool distrusted = false;
};

// Simulate with `seeds`, which must succeed.
void ExpectAllSeeds(const Seeds& seeds, const std::function<void(Simulation&)>& scenario,
                    const SimulationOptions& options = {});

// So that a small run has full queues and every limit is met.
Limits SmallLimits();

}  // namespace lwmsg::test
