#include "lwmsg/server.h"

#include <list>
#include <utility>
#include <vector>

#include "lwmsg/association.h"
#include "lwmsg/internal/session_host.h"
#include "runtime/direct.h"
#include "runtime/platform.h"
#include "runtime/thread_pool.h"
#include "runtime/uv_loop.h"

namespace lwmsg {

class Server::Impl {
 public:
  Impl(Loop& loop, ServerOptions options)
      : loop_(loop.impl()),
        options_(std::move(options)),
        sessions_(loop.impl(), options_.limits.max_objects, std::move(options_.on_session)),
        workers_(options_.threads),
        drain_timer_(loop.impl(), [this] { EndAll(); }) {}

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
    return Keep(internal::Listen(loop_, *endpoint, options, Acceptor()));
  }

  Status ListenOn(OsHandle socket) {
    return Keep(internal::ListenOn(loop_, std::move(socket), Acceptor()));
  }

  Status Adopt(OsHandle socket) {
    auto transport = internal::AdoptTransport(loop_, std::move(socket), options_.limits);
    if (!transport) return std::move(transport).error();
    Add(std::move(*transport));
    return Status();
  }

  void Stop() {
    listeners_.clear();
    EndAll();
  }

  void Drain(std::chrono::milliseconds deadline, UniqueFunction<void()> done) {
    listeners_.clear();
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
    config.sessions = &sessions_;
    config.workers = &workers_;
    config.on_end = [this, place](const Status& reason) { OnEnd(place, reason); };
    *place =
        std::make_unique<Association>(loop_, std::move(transport), services_, std::move(config));
    (*place)->Start();
    if (associations_.size() > options_.limits.max_associations) {
      (*place)->Close(Status(StatusCode::kResourceExhausted,
                             "the server has " + std::to_string(options_.limits.max_associations) +
                                 " associations, Limits::max_associations; try again later"));
    }
  }

  internal::AcceptCallback Acceptor() {
    // A peer that is gone already is no error of ours.
    return [this](OsHandle socket) { static_cast<void>(Adopt(std::move(socket))); };
  }

  Status Keep(Result<std::unique_ptr<internal::Listener>> listener) {
    if (!listener) return std::move(listener).error();
    listeners_.push_back(std::move(*listener));
    return Status();
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
    const auto link = anchor_.link();
    if (options_.on_end) options_.on_end(association->peer(), reason);
    if (Impl* self = link.get()) self->ReportDrained();
  }

  void ReportDrained() {
    if (!drained_ || !associations_.empty()) return;
    drain_timer_.Disarm();
    auto done = std::exchange(drained_, {});
    done();
  }

  internal::Anchor<Impl> anchor_{this};
  internal::UvLoop& loop_;
  ServerOptions options_;
  ServiceTable services_;
  internal::SessionHost sessions_;
  internal::ThreadPool workers_;
  Associations associations_;
  UniqueFunction<void()> drained_;
  Timer drain_timer_;
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
size_t Server::association_count() const { return impl_->association_count(); }

}  // namespace lwmsg
