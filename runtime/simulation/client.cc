#include "runtime/simulation/client.h"

#include <algorithm>
#include <utility>

#include "runtime/simulation/stray_frame.h"
#include "runtime/simulation/stream.h"
#include "runtime/simulation/watcher.h"
#include "runtime/stream_transport.h"

namespace lwmsg::internal {
namespace {

constexpr uint32_t kUser = 1000;
constexpr uint32_t kServerPid = 100;
constexpr uint32_t kFirstClientPid = 1000;

Token WithLabel(const TokenFacts& facts, const std::string& label) {
  TokenFacts labelled;
  labelled.euid = facts.euid;
  labelled.egid = facts.egid;
  labelled.pid = facts.pid;
  labelled.groups = facts.groups;
  labelled.sid = facts.sid;
  labelled.group_sids = facts.group_sids;
  labelled.label = label;
  return Token(std::move(labelled));
}

bool IsEmpty(const TokenFacts& facts) {
  return !facts.euid && !facts.egid && !facts.pid && !facts.sid && !facts.groups;
}

}  // namespace

SimulatedClientImpl::SimulatedClientImpl(World& world, SimulatedServerImpl& server,
                                         ClientOptions options, TokenFacts identity)
    : world_(world),
      loop_(world.NewLoop("client")),
      server_(server.link()),
      limits_(options.limits),
      identity_(std::move(identity)),
      connector_(loop_, [this] { return MakeTransport(); }, Watched(std::move(options))) {
  if (IsEmpty(identity_)) {
    identity_.euid = identity_.egid = kUser;
    identity_.pid = kFirstClientPid + world_.next_number();
  }
  world_.Add(static_cast<Party&>(*this));
}

SimulatedClientImpl::~SimulatedClientImpl() { world_.Remove(static_cast<Party&>(*this)); }

ClientOptions SimulatedClientImpl::Watched(ClientOptions options) {
  options.watcher = std::make_shared<SimulatedWatcher>(world_, kClientSide, options.watcher);
  options.on_end = [this, on_end = std::move(options.on_end)](const Status& reason) mutable {
    OnEnd(reason);
    if (on_end) on_end(reason);
  };
  return options;
}

void SimulatedClientImpl::OnEnd(const Status& reason) {
  if (wires_.empty()) return;
  // It may have connected again before it heard of the end.
  const bool honest =
      std::ranges::none_of(wires_, [](const auto& wire) { return wire->tainted(); });
  if (honest) wires_.back()->OnEnd(kClientSide, reason);
}

std::unique_ptr<Transport> SimulatedClientImpl::MakeTransport() {
  auto wire = world_.NewWire(loop_.loop_name());
  wires_.push_back(wire);
  TokenFacts server;
  server.euid = server.egid = kUser;
  server.pid = kServerPid;
  auto connect = [this, wire]() -> Result<bool> {
    SimulatedServerImpl* there = server_.get();
    if (there == nullptr) return Error(StatusCode::kUnavailable, "the server is gone");
    auto accepted = there->Accept(wire, WithLabel(identity_, wire->label()));
    // Nobody is at the other end.
    if (!accepted) wire->HangUp(kServerSide);
    return accepted;
  };
  auto stream = std::make_unique<SimulatedStream>(
      world_, wire, kClientSide, WithLabel(server, wire->label()), limits_, std::move(connect));
  return std::make_unique<StreamTransport>(loop_, std::move(stream), loop_.loop_name(), limits_);
}

PendingCall SimulatedClientImpl::Start(OutgoingCall call, ReplyCallback done) {
  CallGuard guard(world_, limits_, call, done);
  PendingCall started = target().Start(std::move(call), std::move(done));
  guard.Started();
  return started;
}

void SimulatedClientImpl::CheckEnded() {
  const AssociationState state = connector_.State();
  if (state.queued_bytes != 0 || !state.outgoing.empty() || !state.incoming.empty()) {
    world_.Fail(loop_.loop_name() + " has something left:\n" + ToString(state));
  }
}

void SimulatedClientImpl::Lose() {
  if (!wires_.empty()) wires_.back()->Lose();
}

void SimulatedClientImpl::SendBytes(Side from, std::string_view bytes,
                                    std::vector<OsHandle> handles) {
  if (wires_.empty()) return;
  Wire& wire = *wires_.back();
  if (bytes.empty() || !wire.from(from).is_open()) return;
  wire.Taint();
  world_.Note(wire.label(), "somebody interferes");
  wire.from(from).Inject(bytes, std::move(handles));
}

void SimulatedClientImpl::SendStray(Side from) {
  const SimulatedServerImpl* server = server_.get();
  const bool calls_server = from == kClientSide && server != nullptr;
  const std::string frame =
      StrayFrame(world_.random(), calls_server ? server->services() : connector_.services());
  std::vector<OsHandle> handles;
  if (world_.random().OneIn(8)) handles.push_back(world_.handles().Make());
  SendBytes(from, frame, std::move(handles));
}

}  // namespace lwmsg::internal

namespace lwmsg {
namespace {

internal::Side Internal(SimulatedClient::Side side) {
  return side == SimulatedClient::Side::kClient ? internal::kClientSide : internal::kServerSide;
}

}  // namespace

SimulatedClient::SimulatedClient(Simulation& simulation, SimulatedServer& server,
                                 ClientOptions options, TokenFacts identity)
    : impl_(std::make_unique<internal::SimulatedClientImpl>(
          simulation.world(), *server.impl_, std::move(options), std::move(identity))) {}
SimulatedClient::~SimulatedClient() = default;

SimulatedClient::operator Channel() const { return impl_->channel(); }
Status SimulatedClient::Serve(Service& service) {
  return impl_->connector().services().Add(service);
}
void SimulatedClient::Connect() { impl_->connector().Connect(); }
void SimulatedClient::Close() { impl_->connector().Close(); }
AssociationState SimulatedClient::State() const { return impl_->connector().State(); }
const Token& SimulatedClient::peer() const { return impl_->connector().peer(); }
void SimulatedClient::Lose() { impl_->Lose(); }
void SimulatedClient::SendBytes(Side from, std::string_view bytes) {
  impl_->SendBytes(Internal(from), bytes, {});
}
void SimulatedClient::SendStray(Side from) { impl_->SendStray(Internal(from)); }

}  // namespace lwmsg
