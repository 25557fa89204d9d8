#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lwmsg/executor.h"
#include "lwmsg/function.h"
#include "lwmsg/simulation.h"
#include "runtime/simulation/counted_handles.h"
#include "runtime/simulation/random.h"

namespace lwmsg::internal {

class SimulatedLoop;
class Wire;
class World;

// Something that can do a step.
class Actor {
 public:
  Actor(World& world, std::string name);
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  const std::string& name() const { return name_; }
  // Whether there is something for it to do now.
  virtual bool CanAct() = 0;
  // Does one thing; may destroy this.
  virtual void Act() = 0;

 protected:
  ~Actor();
  World& world() { return world_; }

 private:
  World& world_;
  const std::string name_;
};

// A server or a client.
class Party {
 public:
  // As its user would at the end.
  virtual void End() = 0;
  // Once nothing is left to do after that.
  virtual void CheckEnded() = 0;

 protected:
  ~Party() = default;
};

// What is behind a Simulation.
class World {
 public:
  World(uint64_t seed, SimulationOptions options);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  uint64_t seed() const { return seed_; }
  uint64_t step() const { return step_; }
  uint64_t trace_hash() const { return hash_; }
  const SimulationOptions& options() const { return options_; }
  SeededRandom& random() { return random_; }
  CountedHandles& handles() { return handles_; }

  // Never the same twice, so that no two deadlines are: what is due at the same time is run by
  // address.
  TimePoint Now() { return now_ += std::chrono::nanoseconds(1); }
  TimePoint time() const { return now_; }

  // There until this goes, as its users may be destroyed by what it runs.
  SimulatedLoop& NewLoop(std::string name);
  // Whose loop runs; null: none, but the scenario.
  const SimulatedLoop* running() const { return running_; }
  void set_running(const SimulatedLoop* loop) { running_ = loop; }
  // From both sides of one connection; named by its label.
  std::shared_ptr<Wire> NewWire(std::string name);
  Wire* FindWire(std::string_view label) const;

  void Add(Party& party) { parties_.push_back(&party); }
  void Remove(Party& party) { std::erase(parties_, &party); }
  void Add(Actor& actor) { actors_.push_back(&actor); }
  void Remove(Actor& actor);

  void Soon(UniqueFunction<void()> task);
  void After(std::chrono::milliseconds delay, UniqueFunction<void()> task);
  void OnStep(UniqueFunction<void()> task) { on_step_ = Share(std::move(task)); }

  // That a call is under way, and until when. Erase it when it ends.
  using Deadlines = std::multiset<TimePoint>;
  Deadlines& deadlines() { return deadlines_; }
  // Callbacks of calls that are there.
  size_t& callbacks() { return callbacks_; }
  // 1, 2 and so on.
  uint32_t next_number() { return ++last_number_; }

  // What a step did, for the trace.
  void Note(std::string_view who, std::string_view what, uint64_t value = 0);
  void Fail(std::string_view what);
  const Status& status() const { return status_; }
  void Run();
  void Finish();
  bool finished() const { return finished_; }

 private:
  struct SoonTask {
    uint64_t step;
    UniqueFunction<void()> task;
  };

  // False if nothing is left to do.
  bool Step();
  bool RunSoon();
  void RunSoon(std::vector<SoonTask>::iterator due);
  std::optional<TimePoint> NextTimer() const;
  void AdvanceTo(TimePoint when);
  void JumpTowards(TimePoint next);
  // A call is due.
  bool is_late() const { return !deadlines_.empty() && *deadlines_.begin() <= now_; }
  void RunScheduled();
  void CheckAtRest();

  const uint64_t seed_;
  const SimulationOptions options_;
  SeededRandom random_;
  uint64_t random_ids_;
  uint64_t* const outer_ids_;
  CountedHandles handles_;
  uint64_t step_ = 0;
  uint64_t hash_ = 0xcbf29ce484222325;
  TimePoint now_ = TimePoint(std::chrono::hours(24));
  Status status_;
  bool finished_ = false;
  const SimulatedLoop* running_ = nullptr;
  std::vector<Party*> parties_;
  std::vector<Actor*> actors_;
  std::vector<Actor*> ready_;
  Actor* favourite_ = nullptr;  // Null: none.
  std::vector<SoonTask> soon_;
  std::multimap<TimePoint, UniqueFunction<void()>> scheduled_;
  std::shared_ptr<UniqueFunction<void()>> on_step_;
  Deadlines deadlines_;
  size_t callbacks_ = 0;
  uint32_t last_number_ = 0;
  std::map<std::string, std::shared_ptr<Wire>, std::less<>> wires_;  // By label.
  std::list<std::unique_ptr<SimulatedLoop>> loops_;
};

}  // namespace lwmsg::internal
