#include "tests/simulation/scenario.h"

#include <cstdlib>
#include <utility>

namespace lwmsg::test {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

}  // namespace

Seeds::Seeds(uint64_t usual)
    : count(FromEnvironment("LWMSG_TEST_SEEDS", usual)),
      first(FromEnvironment("LWMSG_TEST_FIRST_SEED", 1)) {
  if (std::getenv("LWMSG_SIMULATION_SEED") != nullptr) {
    first = FromEnvironment("LWMSG_SIMULATION_SEED", first);
    count = 1;
  }
  are_enough = count >= usual;
}

Scene::Scene(Simulation& run, ServerOptions options)
    : simulation(run), service(run), server(run, std::move(options)) {
  EXPECT_TRUE(server.Serve(service).ok());
}

Scene::Member& Scene::Add(ClientOptions options, std::vector<Caller::Act> acts) {
  auto client = std::make_unique<SimulatedClient>(simulation, server, std::move(options));
  EXPECT_TRUE(client->Serve(listener).ok());
  auto caller = std::make_unique<Caller>(simulation, *client, service, std::move(acts));
  return members.emplace_back(Member{std::move(caller), std::move(client)});
}

void Scene::Distrust() {
  distrusted = true;
  service.Distrust();
  for (const Member& member : members) member.caller->Distrust();
}

// At rest handlers keep only what somebody waits for.
void Scene::CheckHandlers() {
  size_t kept = 0;
  for (const auto& association : server.State().associations) kept += association.incoming.size();
  size_t wanted = 0;
  for (const Member& member : members) {
    if (!member.client) continue;
    for (const CallState& call : member.client->State().outgoing) wanted += call.cancelled ? 0 : 1;
  }
  simulation.Expect(kept <= wanted, "handlers hear that nobody waits any more");
}

void Scene::Finish() {
  if (simulation.Run().ok() && !distrusted) CheckHandlers();
  for (const Member& member : members) {
    // Their handlers wait for nothing but room.
    simulation.Expect(distrusted || member.caller->open_streams() == 0, "each stream ends");
  }
  if (!simulation.Finish().ok()) return;
  for (const Member& member : members) {
    const Caller& caller = *member.caller;
    simulation.Expect(caller.started() == caller.ended(), "each call's callback runs once");
  }
  simulation.Expect(service.items_alive() == 0, "no object outlives its session");
}

void ExpectAllSeeds(const Seeds& seeds, const std::function<void(Simulation&)>& scenario,
                    const SimulationOptions& options) {
  const Status status = Simulate(seeds.count, scenario, options, seeds.first);
  EXPECT_TRUE(status.ok()) << status;
}

Limits SmallLimits() {
  Limits limits;
  limits.max_calls = 3;
  limits.max_oneway_calls = 2;
  limits.max_objects = 2;
  limits.max_queued_messages = 12;
  limits.max_queued_bytes = 16 << 10;
  limits.max_queued_handles = 2;
  limits.max_frame_bytes = 8 << 10;
  limits.call_timeout = std::chrono::milliseconds(50);
  limits.send_timeout = std::chrono::milliseconds(20);
  return limits;
}

}  // namespace lwmsg::test
