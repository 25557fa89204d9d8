#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "lwmsg/channel.h"
#include "lwmsg/client.h"
#include "lwmsg/function.h"
#include "lwmsg/os_handle.h"
#include "lwmsg/server.h"
#include "lwmsg/service.h"
#include "lwmsg/state.h"
#include "lwmsg/status.h"
#include "lwmsg/token.h"

// Services and clients of tests, in one thread and in virtual time: which of them goes on, how many
// bytes come at a time, and what goes wrong meanwhile, is drawn from a seed, and the same seed does
// the same again. A library of its own: target lwmsg::simulation, component `simulation`.
namespace lwmsg {

namespace internal {
class SimulatedClientImpl;
class SimulatedServerImpl;
class World;
}  // namespace internal

struct SimulationOptions {
  // A run that has not come to rest after so many steps has failed.
  uint64_t max_steps = 1'000'000;
  // Of 100 messages with OS handles, how many the system does not pass on. They fail alone.
  unsigned unsent_handles = 0;
  // Gets a line for each step. With LWMSG_SIMULATION_TRACE in the environment standard error does.
  std::function<void(std::string_view line)> trace = {};
};

// One run: a clock, and servers and clients, each like a process of its own with one loop. Each
// step lets one of them do one thing, moves some bytes of a connection, or lets time pass; time
// passes by itself only when nothing else can happen.
//
// It watches what lwmsg does for them, and fails when a call ends twice, never, or long after its
// deadline; when requests of one connection overtake each other; when an honest side breaks the
// protocol or is accused of it, or is allowed more calls or items than it may; when something is
// left to do that nothing will do. The first failure ends the run: Run and Finish return it, with
// the seed and the step.
//
// Lives on one thread, one at a time there, and outlives its servers and clients. Handlers that
// are `$Lwmsg.blocking` run on that thread too, as if on another.
class Simulation {
 public:
  explicit Simulation(uint64_t seed, SimulationOptions options = {});
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  uint64_t seed() const;
  // The number of the one that is under way, or of the last: the first is 1.
  uint64_t step() const;
  // Virtual, since the beginning.
  std::chrono::nanoseconds time() const;
  // The same for the same steps.
  uint64_t trace_hash() const;

  // A number below `count`, which is not 0, from the seed: for what the scenario does.
  uint64_t Random(uint64_t count);
  bool OneIn(uint64_t count) { return Random(count) == 0; }
  // Runs `task` before one of the next steps, some 60 at most.
  void Soon(UniqueFunction<void()> task);
  void After(std::chrono::milliseconds delay, UniqueFunction<void()> task);
  // Runs `task` before each step, until Finish ends what is there: to break something in each of
  // them.
  void OnStep(UniqueFunction<void()> task);

  // An open file that is counted: what is not closed by Finish is a failure.
  OsHandle MakeHandle();
  // Which of those `handle` is, or is a copy of, the first is 1; 0 if it is none of them. Leaves
  // all files as they are.
  size_t NumberOf(const OsHandle& handle);

  // Fails unless it holds; returns it.
  bool Expect(bool holds, std::string_view what);
  void Fail(std::string_view what);
  // OK until something failed: then kInternal, with what, the step and the seed.
  const Status& status() const;

  // Until nothing is left to do, or something failed. What handlers keep may wait.
  const Status& Run();
  // Run; then ends all clients and servers that are still there and runs again: nothing may be
  // left.
  const Status& Finish();

  internal::World& world() { return *world_; }

 private:
  std::unique_ptr<internal::World> world_;
};

// Runs `scenario` for so many seeds from `first` on, up to the first that fails, which it returns.
// With LWMSG_SIMULATION_SEED in the environment it is that seed alone.
//
// `scenario` calls Finish at its end, while all is there that its tasks and callbacks use: without
// that it fails.
Status Simulate(uint64_t seeds, const std::function<void(Simulation&)>& scenario,
                const SimulationOptions& options = {}, uint64_t first = 1);

// A Server of a simulation. Destroying it is what destroying a Server is; inside a handler of its
// own, too. Of the options those of several loops and threads have no effect, and neither have
// Limits::max_associations, max_user_associations and idle_timeout: everybody is accepted.
class SimulatedServer {
 public:
  explicit SimulatedServer(Simulation& simulation, ServerOptions options = {});
  SimulatedServer(const SimulatedServer&) = delete;
  SimulatedServer& operator=(const SimulatedServer&) = delete;
  ~SimulatedServer();

  // As Server's. It listens from the beginning.
  Status Serve(Service& service);
  // Accepts clients again, after Stop or Drain.
  void Listen();
  void Stop();
  void Drain(std::chrono::milliseconds deadline, UniqueFunction<void()> done);
  size_t association_count() const;
  ServerState State() const;
  // As if its process were killed and started again, with the same options and services.
  void Crash();

 private:
  friend class SimulatedClient;
  std::unique_ptr<internal::SimulatedServerImpl> impl_;
};

// A Client of a simulation, connected to one server.
class SimulatedClient {
 public:
  // `identity`: what handlers see as Call::peer(); if empty, a process of its own of user 1000. Its
  // label is the simulation's.
  SimulatedClient(Simulation& simulation, SimulatedServer& server, ClientOptions options = {},
                  TokenFacts identity = {});
  SimulatedClient(const SimulatedClient&) = delete;
  SimulatedClient& operator=(const SimulatedClient&) = delete;
  ~SimulatedClient();

  // As Client's.
  // NOLINTNEXTLINE(google-explicit-constructor): a client is a channel to its users.
  operator Channel() const;
  Status Serve(Service& service);
  void Connect();
  void Close();
  AssociationState State() const;
  const Token& peer() const;

  // The connection is lost, with some of the bytes that were on their way.
  void Lose();
  enum class Side { kClient, kServer };
  // As if `from` had sent these bytes, right behind a message of its own, or in the middle of one:
  // all of them, in one piece. Nothing honest is expected of the connection any more. Does nothing
  // if there is none.
  void SendBytes(Side from, std::string_view bytes);
  // The same with a frame, or something like it, that is drawn from the seed, now and then with an
  // OS handle.
  void SendStray(Side from);

 private:
  std::unique_ptr<internal::SimulatedClientImpl> impl_;
};

}  // namespace lwmsg
