#include "lwmsg/server.h"

#include <algorithm>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "lwmsg/association.h"
#include "lwmsg/internal/session_host.h"
#include "runtime/direct.h"
#include "runtime/platform.h"
#include "runtime/stream_transport.h"
#include "runtime/thread_pool.h"
#include "runtime/uv_loop.h"

namespace lwmsg {
namespace {

// Between two looks for somebody to evict, however short Limits::idle_timeout is.
constexpr std::chrono::milliseconds kShortest{10};

}  // namespace

class Server::Impl final : private internal::Listener::Acceptor {
 public:
  Impl(Loop& loop, ServerOptions options)
      : loop_(loop.impl()),
        options_(std::move(options)),
        on_end_(internal::Share(std::move(options_.on_end))),
        sessions_(loop.impl(), options_.limits.max_objects, std::move(options_.on_session)),
        workers_(options_.threads),
        drain_timer_(loop.impl(), [this] { EndAll(); }),
        evict_timer_(loop.impl(), [this] { MakeRoom(); }) {}

  ServiceTable& services() { return services_; }
  size_t association_count() const { return associations_.size(); }

  Status Listen(std::string_view text, const ListenOptions& options) {
    auto endpoint = Endpoint::Parse(text);
    if (!endpoint) return std::move(endpoint).error();
    if (endpoint->kind() == Endpoint::Kind::kDirect) {
      return Keep(internal::ListenDirect(
          loop_, endpoint->name(), options_.limits,
          [this](std::unique_ptr<Transport> transport) { Add(std::move(transport)); }));
    }
    return Keep(internal::Listen(loop_, *endpoint, options, options_.limits, *this));
  }

  Status ListenOn(OsHandle socket) {
    return Keep(internal::ListenOn(loop_, std::move(socket), options_.limits, *this));
  }

  Status Adopt(OsHandle socket) {
    auto transport = internal::AdoptTransport(loop_, std::move(socket), options_.limits);
    if (!transport) return std::move(transport).error();
    Add(std::move(*transport));
    return Status();
  }

  ServerState State() const {
    ServerState state;
    state.client_waits = client_waits_;
    for (const auto& listener : listeners_) state.listeners.push_back({listener->name(), held_});
    for (const auto& association : associations_) {
      state.associations.push_back(association->Describe());
    }
    return state;
  }

  void Stop() {
    EndListening();
    EndAll();
  }

  void Drain(std::chrono::milliseconds deadline, UniqueFunction<void()> done) {
    EndListening();
    draining_ = true;
    drained_ = std::move(done);
    drain_timer_.ArmAfter(deadline);
    ForEach([](Association& association) { association.Drain(); });
    // Later, as all else that calls back.
    loop_.Post([link = anchor_.link()] {
      if (Impl* self = link.get()) self->ReportDrained();
    });
  }

 private:
  using Associations = std::list<std::unique_ptr<Association>>;

  void Add(std::unique_ptr<Transport> transport) {
    const auto place = associations_.emplace(associations_.end());
    Association::Config config;
    config.role = Association::Role::kAcceptor;
    config.limits = options_.limits;
    config.log = options_.log;
    config.watcher = options_.watcher;
    config.sessions = &sessions_;
    config.workers = &workers_;
    config.on_end = [this, place](const Status& reason) { OnEnd(place, reason); };
    *place =
        std::make_unique<Association>(loop_, std::move(transport), services_, std::move(config));
    (*place)->Start();
    if (full()) Hold();
    if (associations_.size() > options_.limits.max_associations) {
      (*place)->Close(Status(StatusCode::kResourceExhausted, FullText() + "; try again later"));
    }
  }

  bool full() const { return associations_.size() >= options_.limits.max_associations; }

  void OnAccepted(std::unique_ptr<internal::FrameStream> stream) override {
    Add(std::make_unique<internal::StreamTransport>(loop_, std::move(stream), options_.limits));
  }

  void OnRefused(const internal::Listener& listener, const Status& reason) override {
    options_.log.Write(LogLevel::kWarning,
                       [&] { return listener.name() + " refused a client: " + reason.ToString(); });
  }

  void OnAcceptFailed(const internal::Listener& listener, const Status& reason) override {
    options_.log.Write(LogLevel::kError, [&] {
      return listener.name() + " pauses: " + reason.ToString() + "; tried again in a moment";
    });
  }

  void OnClientWaits() override {
    client_waits_ = true;
    MakeRoom();
  }

  Status Keep(Result<std::unique_ptr<internal::Listener>> listener) {
    if (!listener) return std::move(listener).error();
    listeners_.push_back(std::move(*listener));
    options_.log.Write(LogLevel::kInfo,
                       [this] { return "listening at " + listeners_.back()->name(); });
    if (full()) Hold();
    return Status();
  }

  void EndListening() {
    listeners_.clear();
    held_ = false;
    client_waits_ = false;
    evict_timer_.Disarm();
  }

  // --- At Limits::max_associations.

  void Hold() {
    for (auto& listener : listeners_) listener->Hold();
    if (listeners_.empty() || std::exchange(held_, true)) return;
    options_.log.Write(LogLevel::kWarning, [this] {
      return "listening pauses: " + FullText() + "; clients wait in the backlog";
    });
  }

  void Resume() {
    evict_timer_.Disarm();
    client_waits_ = false;
    if (!std::exchange(held_, false)) return;
    for (auto& listener : listeners_) listener->Resume();
    // Who resumes first is served first: each in its turn.
    std::rotate(listeners_.begin(), listeners_.begin() + 1, listeners_.end());
    options_.log.Write(LogLevel::kInfo, [] { return std::string("listening goes on"); });
  }

  // Ends the longest idle association for a client that waits, or sees when it could. Looks at all
  // of them, but only under pressure, and next to the accept and hello that follow it is little.
  void MakeRoom() {
    if (!client_waits_ || !full()) return;
    Association* oldest = nullptr;
    for (auto& association : associations_) {
      if (association->state() == Association::State::kClosed) return;  // Its place is free soon.
      if (!association->idle()) continue;
      if (oldest == nullptr || association->last_activity() < oldest->last_activity()) {
        oldest = association.get();
      }
    }
    const TimePoint now = loop_.Now();
    const auto timeout = options_.limits.idle_timeout;
    // One that is busy now is not idle for that long before this time.
    const TimePoint when = (oldest == nullptr ? now : oldest->last_activity()) + timeout;
    if (oldest == nullptr || when > now) return evict_timer_.Arm(std::max(when, now + kShortest));
    const auto idle =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - oldest->last_activity());
    oldest->Close(Status(StatusCode::kUnavailable,
                         "evicted after " + std::to_string(idle.count()) +
                             " ms idle to make room for another client: " + FullText() +
                             "; connect again"));
  }

  std::string FullText() const {
    return "the server has " + std::to_string(options_.limits.max_associations) +
           " associations, Limits::max_associations";
  }

  void EndAll() {
    ForEach([](Association& association) { association.Close(Status()); });
  }

  // Ending an association runs handlers' callbacks, which may end others or this server.
  template <typename Function>
  void ForEach(Function function) {
    std::vector<internal::Link<Association>> links;
    for (auto& association : associations_) links.push_back(association->link());
    for (auto& link : links) {
      if (Association* association = link.get()) function(*association);
    }
  }

  void OnEnd(Associations::iterator place, const Status& reason) {
    const auto association = std::move(*place);
    associations_.erase(place);
    full() ? MakeRoom() : Resume();
    const auto link = anchor_.link();
    if (const auto on_end = on_end_) (*on_end)(association->peer(), reason);
    if (Impl* self = link.get()) self->ReportDrained();
  }

  void ReportDrained() {
    if (!draining_ || !associations_.empty()) return;
    draining_ = false;
    drain_timer_.Disarm();
    auto done = std::exchange(drained_, {});
    if (done) done();
  }

  internal::Anchor<Impl> anchor_{this};
  internal::UvLoop& loop_;
  ServerOptions options_;
  std::shared_ptr<UniqueFunction<void(const Token&, const Status&)>> on_end_;
  ServiceTable services_;
  internal::SessionHost sessions_;
  internal::ThreadPool workers_;
  Associations associations_;
  bool draining_ = false;
  UniqueFunction<void()> drained_;
  Timer drain_timer_;
  // The listeners hold, as there is no place; and one of them saw a client.
  bool held_ = false;
  bool client_waits_ = false;
  Timer evict_timer_;
  std::vector<std::unique_ptr<internal::Listener>> listeners_;
};

Server::Server(Loop& loop, ServerOptions options)
    : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
Server::~Server() = default;

Status Server::Serve(Service& service) { return impl_->services().Add(service); }
Status Server::Listen(std::string_view endpoint, const ListenOptions& options) {
  return impl_->Listen(endpoint, options);
}
Status Server::ListenOn(OsHandle socket) { return impl_->ListenOn(std::move(socket)); }
Status Server::Adopt(OsHandle socket) { return impl_->Adopt(std::move(socket)); }
void Server::Stop() { impl_->Stop(); }
void Server::Drain(std::chrono::milliseconds deadline, UniqueFunction<void()> done) {
  impl_->Drain(deadline, std::move(done));
}
ServerState Server::State() const { return impl_->State(); }
size_t Server::association_count() const { return impl_->association_count(); }

}  // namespace lwmsg
