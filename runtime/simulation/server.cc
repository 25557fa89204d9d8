#include "runtime/simulation/server.h"

#include <algorithm>
#include <utility>

#include "runtime/simulation/stream.h"
#include "runtime/simulation/watcher.h"

namespace lwmsg::internal {
namespace {

// A server that is busy is asked again; so often it is.
constexpr uint64_t kConnectsPerBusy = 8;

}  // namespace

SimulatedWorkers::SimulatedWorkers(World& world, const std::string& name, unsigned threads)
    : Actor(world, name + ", threads"),
      threads_(std::max(threads, 1U)),
      elsewhere_(world.NewLoop(name + ", threads")) {}

void SimulatedWorkers::Act() {
  const auto chosen =
      tasks_.begin() +
      static_cast<ptrdiff_t>(world().random().Below(std::min(threads_, tasks_.size())));
  UniqueFunction<void()> task = std::move(*chosen);
  tasks_.erase(chosen);
  world().Note(name(), "run a handler");
  World& simulated = world();  // The task may destroy this.
  simulated.set_running(&elsewhere_);
  task();
  simulated.set_running(nullptr);
}

SimulatedServerImpl::SimulatedServerImpl(World& world, ServerOptions options)
    : world_(world),
      loop_(world.NewLoop("server")),
      options_(std::move(options)),
      on_session_(Share(std::move(options_.on_session))),
      on_end_(Share(std::move(options_.on_end))),
      drain_timer_(loop_, [this] { here_->EndAll(); }),
      workers_(world, loop_.loop_name(), options_.threads) {
  options_.watcher = std::make_shared<SimulatedWatcher>(world, kServerSide, options_.watcher);
  here_ = NewServerLoop();
  world_.Add(static_cast<Party&>(*this));
}

SimulatedServerImpl::~SimulatedServerImpl() { world_.Remove(static_cast<Party&>(*this)); }

std::unique_ptr<ServerLoop> SimulatedServerImpl::NewServerLoop() {
  return std::make_unique<ServerLoop>(loop_, ServerLoop::Shared{options_, on_session_, workers_},
                                      static_cast<ServerLoop::Owner&>(*this));
}

Status SimulatedServerImpl::Serve(Service& service) {
  Status added = here_->services().Add(service);
  if (added.ok()) served_.push_back(&service);
  return added;
}

void SimulatedServerImpl::Stop() {
  listening_ = false;
  here_->EndAll();
}

void SimulatedServerImpl::Drain(std::chrono::milliseconds deadline, UniqueFunction<void()> done) {
  listening_ = false;
  drained_ = std::move(done);
  drain_timer_.ArmAfter(deadline);
  const auto link = anchor_.link();
  here_->DrainAll();
  if (link.get() != nullptr) ReportDrained();
}

void SimulatedServerImpl::ReportDrained() {
  if (!drained_ || association_count() != 0) return;
  drain_timer_.Disarm();
  loop_.Post(std::exchange(drained_, {}));
}

size_t SimulatedServerImpl::association_count() const { return State().associations.size(); }

ServerState SimulatedServerImpl::State() const {
  ServerState state;
  here_->Describe(state.associations);
  return state;
}

void SimulatedServerImpl::Crash() {
  world_.Note(name(), "crashes");
  for (const auto& wire : std::exchange(wires_, {})) {
    if (const auto there = wire.lock()) there->Lose();
  }
  // What is run now may destroy this.
  const auto link = anchor_.link();
  auto old = std::exchange(here_, NewServerLoop());
  for (Service* service : served_) static_cast<void>(here_->services().Add(*service));
  old.reset();
  if (link.get() != nullptr) ReportDrained();
}

Result<bool> SimulatedServerImpl::Accept(const std::shared_ptr<Wire>& wire, const Token& client) {
  if (!listening_) return Error(StatusCode::kUnavailable, name() + " does not listen");
  if (world_.random().OneIn(kConnectsPerBusy)) return false;
  auto stream =
      std::make_unique<SimulatedStream>(world_, wire, kServerSide, client, options_.limits);
  stream->TakeHandles(here_->services().takes_handles());
  wires_.push_back(wire);
  loop_.Post([link = anchor_.link(), life = here_.get(), taken = std::move(stream)]() mutable {
    SimulatedServerImpl* self = link.get();
    if (self == nullptr || !self->listening_ || self->here_.get() != life) return;
    self->here_->Add(std::move(taken), Placement::Place(), Status());
  });
  return true;
}

void SimulatedServerImpl::OnEnd(ServerLoop::Member member, const Status& reason) {
  const auto link = anchor_.link();
  const Token& peer = member.association->peer();
  if (Wire* wire = world_.FindWire(peer.label().value_or(""))) wire->OnEnd(kServerSide, reason);
  if (const auto on_end = on_end_) (*on_end)(peer, reason);
  if (link.get() != nullptr) ReportDrained();
}

void SimulatedServerImpl::CheckEnded() {
  if (const size_t count = association_count(); count != 0) {
    world_.Fail(name() + " still has " + std::to_string(count) + " associations");
  }
  if (const size_t count = here_->session_count(); count != 0) {
    world_.Fail(name() + " still has " + std::to_string(count) + " sessions");
  }
}

}  // namespace lwmsg::internal

namespace lwmsg {

SimulatedServer::SimulatedServer(Simulation& simulation, ServerOptions options)
    : impl_(std::make_unique<internal::SimulatedServerImpl>(simulation.world(),
                                                            std::move(options))) {}
SimulatedServer::~SimulatedServer() = default;

Status SimulatedServer::Serve(Service& service) { return impl_->Serve(service); }
void SimulatedServer::Listen() { impl_->Listen(); }
void SimulatedServer::Stop() { impl_->Stop(); }
void SimulatedServer::Drain(std::chrono::milliseconds deadline, UniqueFunction<void()> done) {
  impl_->Drain(deadline, std::move(done));
}
size_t SimulatedServer::association_count() const { return impl_->association_count(); }
ServerState SimulatedServer::State() const { return impl_->State(); }
void SimulatedServer::Crash() { impl_->Crash(); }

}  // namespace lwmsg
