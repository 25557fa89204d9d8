#include "runtime/connecting.h"

#include <algorithm>
#include <utility>

#include "lwmsg/internal/spare_memory.h"
#include "runtime/direct.h"
#include "runtime/stream_transport.h"

namespace lwmsg::internal {
namespace {

// Stands for a connection that cannot be: ends with the reason once it is started.
class UnusableTransport final : public Transport {
 public:
  UnusableTransport(Executor& executor, Status reason)
      : executor_(executor), reason_(std::move(reason)) {}

  void Start(Listener& listener) override {
    executor_.Post(SureTask([link = anchor_.link(), &listener] {
      if (auto* self = link.get()) listener.OnClosed(CopyIfMemory(self->reason_));
    }));
  }
  void Send(OutgoingMessage /*message*/) override {}
  void Close(UniqueFunction<void()> done) override { executor_.Post(std::move(done)); }
  Queued queued() const override { return {}; }
  const Token& peer() const override { return peer_; }

 private:
  Anchor<UnusableTransport> anchor_{this};
  Executor& executor_;
  Status reason_;
  Token peer_;
};

// Of an endpoint, or it is of a kind for another system: go on to the next.
bool NobodyThere(const Status& status) {
  return status.code() == StatusCode::kUnavailable || status.code() == StatusCode::kNotFound ||
         status.code() == StatusCode::kUnimplemented;
}

// To a server of this process.
Result<std::unique_ptr<Transport>> ConnectHere(IoLoop& loop, const Endpoint& endpoint,
                                               std::optional<uint32_t> euid, const Limits& limits) {
  auto transport = ConnectDirect(loop, endpoint.name(), limits);
  if (!transport || !euid || (*transport)->peer().euid() == euid) return transport;
  return Error(StatusCode::kPermissionDenied, "the server at " + endpoint.ToString() + " is " +
                                                  (*transport)->peer().ToString() +
                                                  ", not the wanted user " + std::to_string(*euid));
}

}  // namespace

Connector::Connector(IoLoop& loop, std::string_view endpoints, ClientOptions options,
                     RunOnce run_once)
    : loop_(loop),
      endpoints_(endpoints),
      options_(std::move(options)),
      environment_(std::make_shared<const Association::Environment>(Association::Environment{
          .limits = options_.limits, .log = options_.log, .watcher = options_.watcher})),
      on_end_(Share(std::move(options_.on_end))),
      on_session_lost_(Share(std::move(options_.on_session_lost))),
      run_once_(std::move(run_once)) {
  if (options_.session) session_id_ = options_.session->last_session();
  association_ = MakeAssociation();
}

Connector::Connector(IoLoop& loop, OsHandle socket, ClientOptions options, RunOnce run_once)
    : Connector(loop, std::string_view(), std::move(options), std::move(run_once)) {
  socket_ = std::move(socket);
  options_.reconnect = Reconnect::kNever;
}

Connector::Connector(IoLoop& loop, TransportMaker make_transport, ClientOptions options)
    : Connector(loop, std::string_view(), std::move(options), {}) {
  make_transport_ = std::move(make_transport);
}

Connector::~Connector() {
  // Callbacks that run now may call again.
  options_.reconnect = Reconnect::kNever;
}

Association& Connector::Current() {
  const bool ended = association_->state() == Association::State::kClosed;
  if (ended && options_.reconnect == Reconnect::kOnNextCall) {
    retired_.reserve(retired_.size() + 1);
    auto old = std::exchange(association_, MakeAssociation());
    if (!std::exchange(told_, false)) retired_.push_back(std::move(old));
  }
  return *association_;
}

std::unique_ptr<Association> Connector::MakeAssociation() {
  Association::Config config;
  config.environment = environment_;
  auto connecting = std::make_unique<Association::Connecting>();
  // At an endpoint `server_euid` is about who listens, which need not be who answers: a service
  // manager may have made the socket.
  connecting->peer_euid = endpoints_.empty() ? options_.server_euid : first_.writer;
  if (options_.session) connecting->session_key = options_.session->bytes();
  connecting->on_session = [this](uint64_t id) { OnSession(id); };
  connecting->connect = [this] { return MakeTransport(); };
  if (run_once_) connecting->run_once = [this](bool may_wait) { run_once_(may_wait); };
  config.connecting = std::move(connecting);
  auto place = std::make_shared<const Association*>(nullptr);
  config.on_end = [this, place](const Status& reason) { OnEnd(*place, reason); };
  auto association = std::make_unique<Association>(loop_, nullptr, services_, std::move(config));
  *place = association.get();
  return association;
}

std::unique_ptr<Transport> Connector::MakeTransport() {
  if (make_transport_) return make_transport_();
  auto transport = endpoints_.empty() ? AdoptTransport(loop_, std::move(socket_), options_.limits)
                                      : TryEndpoints();
  if (transport) return std::move(*transport);
  return std::make_unique<UnusableTransport>(loop_, std::move(transport).error());
}

Result<std::unique_ptr<Transport>> Connector::TryEndpoints() {
  auto endpoints = Endpoint::ParseList(endpoints_);
  if (!endpoints) return Error(std::move(endpoints).error());
  const auto euid = options_.server_euid ? options_.server_euid : first_.listener;
  const WantedServer wanted = {euid, options_.any_server && !options_.server_euid,
                               options_.any_folder};
  std::string missing;
  for (const Endpoint& endpoint : *endpoints) {
    auto transport = endpoint.kind() == Endpoint::Kind::kDirect
                         ? ConnectHere(loop_, endpoint, euid, options_.limits)
                         : ConnectTransport(loop_, endpoint, wanted, options_.limits);
    if (transport) listener_ = (*transport)->peer().euid();
    if (transport || !NobodyThere(transport.error())) return transport;
    if (endpoints->size() == 1) return transport;
    missing += (missing.empty() ? "" : "; ") + transport.error().message();
  }
  return Error(StatusCode::kUnavailable, "no server at any endpoint: " + missing);
}

void Connector::OnSession(uint64_t id) {
  // The same server as the first time, for all connections to come.
  if (!first_.writer) first_ = {listener_, association_->peer().euid()};
  const uint64_t before = std::exchange(session_id_, id);
  if (options_.session) options_.session->set_last_session(id);
  if (before == 0 || before == id) return;
  if (const auto on_session_lost = on_session_lost_) (*on_session_lost)();
}

void Connector::OnEnd(const Association* association, const Status& reason) {
  const auto link = anchor_.link();
  if (const auto on_end = on_end_) (*on_end)(reason);
  if (link.get() == nullptr) return;
  if (association == association_.get()) {
    told_ = true;
    return;
  }
  std::erase_if(retired_, [association](const auto& old) { return old.get() == association; });
}

void Connector::Close() { association_->Close(Status()); }

PendingCall Connector::Start(OutgoingCall call, ReplyCallback done) {
  try {
    CallTarget& target = Current();
    return target.Start(std::move(call), std::move(done));
  } catch (const std::bad_alloc&) {
    // Of Current: there is no association that could tell.
    loop_.Post(SureTask([done = std::move(done)]() mutable { done(Error(OutOfMemory())); }));
    return PendingCall();
  }
}

Status Connector::Post(OutgoingCall call) try {
  CallTarget& target = Current();
  return target.Post(std::move(call));
} catch (const std::bad_alloc&) {
  return OutOfMemory();
}

}  // namespace lwmsg::internal
