#include "runtime/simulation/world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "lwmsg/internal/repeatable.h"
#include "runtime/closer.h"
#include "runtime/simulation/loop.h"
#include "runtime/simulation/wire.h"

namespace lwmsg::internal {
namespace {

// So many steps lie between Soon and its task, at most.
constexpr uint64_t kSoon = 60;
// A busy world lets time pass in one of so many steps, a little.
constexpr uint64_t kStepsPerJump = 64;
constexpr std::chrono::microseconds kLongestJump{2000};
// Which of those that can act is preferred changes in one of so many steps.
constexpr uint64_t kStepsPerFavourite = 32;
// The clock moves by a nanosecond when it is read.
constexpr std::chrono::milliseconds kGrain{1};

constexpr uint64_t kHashPrime = 0x100000001b3;

SimulationOptions WithTrace(SimulationOptions options) {
  if (options.trace || std::getenv("LWMSG_SIMULATION_TRACE") == nullptr) return options;
  options.trace = [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  return options;
}

}  // namespace

Actor::Actor(World& world, std::string name) : world_(world), name_(std::move(name)) {
  world_.Add(*this);
}

Actor::~Actor() { world_.Remove(*this); }

World::World(uint64_t seed, SimulationOptions options)
    : seed_(seed),
      options_(WithTrace(std::move(options))),
      random_(seed),
      random_ids_(~seed),
      outer_ids_(SeedRandomIds(&random_ids_)) {
  ForgetMessageSizes();
}

World::~World() {
  on_step_.reset();
  soon_.clear();
  scheduled_.clear();
  wires_.clear();
  loops_.clear();
  SeedRandomIds(outer_ids_);
}

SimulatedLoop& World::NewLoop(std::string name) {
  name += " " + std::to_string(loops_.size() + 1);
  return *loops_.emplace_back(std::make_unique<SimulatedLoop>(*this, std::move(name)));
}

std::shared_ptr<Wire> World::NewWire(std::string name) {
  std::string label = std::move(name) + ", connection " + std::to_string(wires_.size() + 1);
  auto wire = std::make_shared<Wire>(*this, label);
  wires_[label] = wire;
  return wire;
}

Wire* World::FindWire(std::string_view label) const {
  auto found = wires_.find(label);
  return found == wires_.end() ? nullptr : found->second.get();
}

void World::Remove(Actor& actor) {
  std::erase(actors_, &actor);
  if (favourite_ == &actor) favourite_ = nullptr;
}

void World::Soon(UniqueFunction<void()> task) {
  soon_.push_back({step_ + random_.Below(kSoon), std::move(task)});
}

void World::After(std::chrono::milliseconds delay, UniqueFunction<void()> task) {
  scheduled_.emplace(Now() + delay, std::move(task));
}

void World::Note(std::string_view who, std::string_view what, uint64_t value) {
  for (std::string_view text : {who, what}) {
    for (char one : text) hash_ = (hash_ ^ static_cast<unsigned char>(one)) * kHashPrime;
  }
  hash_ = (hash_ ^ value) * kHashPrime;
  if (!options_.trace) return;
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(
      now_ - TimePoint(std::chrono::hours(24)));
  std::string line = std::to_string(step_) + ", " + std::to_string(time.count()) + " us: ";
  line.append(who).append(": ").append(what);
  if (value != 0) line += " " + std::to_string(value);
  options_.trace(line);
}

void World::Fail(std::string_view what) {
  if (!status_.ok()) return;
  Note("simulation", what);
  status_ = Status(StatusCode::kInternal, std::string(what) + " (in step " + std::to_string(step_) +
                                              " of seed " + std::to_string(seed_) + ")");
}

std::optional<TimePoint> World::NextTimer() const {
  std::optional<TimePoint> next;
  if (!scheduled_.empty()) next = scheduled_.begin()->first;
  for (const auto& loop : loops_) {
    const auto timer = loop->next_timer();
    if (timer && (!next || *timer < *next)) next = timer;
  }
  return next;
}

void World::AdvanceTo(TimePoint when) {
  now_ = std::max(now_, when);
  Note("simulation", "time passes");
  if (!deadlines_.empty() && *deadlines_.begin() + kGrain < now_) {
    Fail("a call is under way behind its deadline");
  }
}

// Up to the next deadline of a call, too: its end is told in steps, which are to take no time.
void World::JumpTowards(TimePoint next) {
  if (!deadlines_.empty()) next = std::min(next, *deadlines_.begin());
  const auto longest = static_cast<uint64_t>(kLongestJump.count());
  AdvanceTo(std::min(next, now_ + std::chrono::microseconds(random_.Below(longest))));
}

void World::RunScheduled() {
  auto first = scheduled_.extract(scheduled_.begin());
  Note("scenario", "runs a task of this time");
  first.mapped()();
}

bool World::RunSoon() {
  auto due = std::find_if(soon_.begin(), soon_.end(),
                          [this](const SoonTask& soon) { return soon.step <= step_; });
  if (due == soon_.end()) return false;
  RunSoon(due);
  return true;
}

void World::RunSoon(std::vector<SoonTask>::iterator due) {
  UniqueFunction<void()> task = std::move(due->task);
  soon_.erase(due);
  Note("scenario", "runs a task");
  task();
}

bool World::Step() {
  ++step_;
  if (const auto on_step = on_step_) (*on_step)();
  if (RunSoon()) return true;
  ready_.clear();
  for (Actor* actor : actors_) {
    if (actor->CanAct()) ready_.push_back(actor);
  }
  const auto next = NextTimer();
  const bool due = next && *next <= now_;
  if (due && !scheduled_.empty() && scheduled_.begin()->first <= now_) {
    RunScheduled();
    return true;
  }
  if (ready_.empty() && !soon_.empty()) {
    // At rest: there is nothing to wait for.
    RunSoon(std::ranges::min_element(soon_, {}, &SoonTask::step));
    return true;
  }
  if (ready_.empty()) {
    if (!next) return false;
    AdvanceTo(*next);
    return true;
  }
  if (next && !due && !is_late() && random_.OneIn(kStepsPerJump)) {
    JumpTowards(*next);
    return true;
  }
  Actor* chosen = ready_[random_.Below(ready_.size())];
  if (random_.OneIn(kStepsPerFavourite)) favourite_ = chosen;
  const bool preferred = std::find(ready_.begin(), ready_.end(), favourite_) != ready_.end();
  if (preferred && random_.OneIn(2)) chosen = favourite_;
  chosen->Act();
  return true;
}

void World::Run() {
  const uint64_t last = step_ + options_.max_steps;
  while (status_.ok() && Step()) {
    if (step_ >= last) {
      Fail("it does not come to rest within " + std::to_string(options_.max_steps) + " steps");
    }
  }
  if (status_.ok()) CheckAtRest();
}

void World::CheckAtRest() {
  for (const auto& [label, wire] : wires_) wire->CheckAtRest();
}

void World::Finish() {
  finished_ = true;
  Run();
  on_step_.reset();
  for (Party* party : std::vector<Party*>(parties_)) {
    if (std::find(parties_.begin(), parties_.end(), party) != parties_.end()) party->End();
  }
  Run();
  if (!status_.ok()) return;
  for (Party* party : parties_) party->CheckEnded();
  for (const auto& [label, wire] : wires_) wire->CheckEnded();
  if (callbacks_ != 0) Fail(std::to_string(callbacks_) + " calls have not ended");
  FinishClosing();
  if (const size_t open = handles_.FirstOpen(); open != 0) {
    Fail("handle " + std::to_string(open) + " is still open");
  }
}

}  // namespace lwmsg::internal

namespace lwmsg {

Simulation::Simulation(uint64_t seed, SimulationOptions options)
    : world_(std::make_unique<internal::World>(seed, std::move(options))) {}
Simulation::~Simulation() = default;

uint64_t Simulation::seed() const { return world_->seed(); }
uint64_t Simulation::step() const { return world_->step(); }
std::chrono::nanoseconds Simulation::time() const {
  return world_->time() - TimePoint(std::chrono::hours(24));
}
uint64_t Simulation::trace_hash() const { return world_->trace_hash(); }
uint64_t Simulation::Random(uint64_t count) { return world_->random().Below(count); }
void Simulation::Soon(UniqueFunction<void()> task) { world_->Soon(std::move(task)); }
void Simulation::After(std::chrono::milliseconds delay, UniqueFunction<void()> task) {
  world_->After(delay, std::move(task));
}
void Simulation::OnStep(UniqueFunction<void()> task) { world_->OnStep(std::move(task)); }
OsHandle Simulation::MakeHandle() { return world_->handles().Make(); }
size_t Simulation::NumberOf(const OsHandle& handle) { return world_->handles().NumberOf(handle); }

bool Simulation::Expect(bool holds, std::string_view what) {
  if (!holds) Fail("expected: " + std::string(what));
  return holds;
}
void Simulation::Fail(std::string_view what) { world_->Fail(what); }
const Status& Simulation::status() const { return world_->status(); }

const Status& Simulation::Run() {
  world_->Run();
  return status();
}
const Status& Simulation::Finish() {
  world_->Finish();
  return status();
}

Status Simulate(uint64_t seeds, const std::function<void(Simulation&)>& scenario,
                const SimulationOptions& options, uint64_t first) {
  if (const char* only = std::getenv("LWMSG_SIMULATION_SEED")) {
    first = std::strtoull(only, nullptr, 10);
    seeds = 1;
  }
  for (uint64_t i = 0; i < seeds; ++i) {
    Simulation simulation(first + i, options);
    scenario(simulation);
    // Nothing is run after it: what that uses may be gone.
    if (!simulation.world().finished()) {
      simulation.Fail("the scenario returned without Finish, which it has to call at its end");
    }
    if (const Status& status = simulation.Finish(); !status.ok()) {
      return Status(status.code(), status.message() + "; LWMSG_SIMULATION_SEED=" +
                                       std::to_string(simulation.seed()) + " does it again");
    }
  }
  return Status();
}

}  // namespace lwmsg
