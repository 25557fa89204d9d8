#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "lwmsg/internal/link.h"
#include "lwmsg/internal/spare_memory.h"
#include "runtime/platform.h"
#include "runtime/posix/socket_address.h"
#include "runtime/posix/socket_file.h"
#include "runtime/posix/socket_stream.h"

namespace lwmsg::internal {
namespace {

// Accepted in one go before others on the loop get their turn.
constexpr int kMaxAccepts = 16;

// How long accepting rests when it failed, as it does without a descriptor left; the backlog holds
// the clients, and trying again at once would only burn the processor.
constexpr std::chrono::milliseconds kRest{100};

class SocketListener final : public Listener {
 public:
  // `file` is set if the socket has a name that goes with it; otherwise `socket` is.
  SocketListener(IoLoop& loop, std::string name, std::optional<SocketFile> file, OsHandle socket,
                 bool strict_senders, const Limits& limits, Acceptor& acceptor)
      : limits_(limits),
        acceptor_(acceptor),
        file_(std::move(file)),
        socket_(std::move(socket)),
        name_(std::move(name)),
        senders_{.strict = strict_senders},
        rest_(loop, [this] { Watch(true); }) {}

  Status Open(IoLoop& loop) {
    auto watch = loop.MakeWatch(socket().get(), [this](IoLoop::Ready) { OnReadable(); });
    if (!watch) return std::move(watch).error();
    watch_ = std::move(*watch);
    Watch(true);
    return Status();
  }

  void TakeHandles(bool takes) override {
    // If it stays as it was, the accepted sockets try for themselves.
    if (takes != senders_.pass_rights && SetPassRights(socket(), takes)) {
      senders_.pass_rights = takes;
    }
  }

  // Goes on to watch, to tell when a client waits.
  void Hold() override { held_ = true; }

  void Resume() override {
    if (!std::exchange(held_, false) || rest_.when()) return;
    Watch(true);
  }

  const std::string& name() const override { return name_; }

 private:
  void Watch(bool wanted) { watch_->Want({wanted, false}); }

  const OsHandle& socket() { return file_ ? file_->socket() : socket_; }

  void OnReadable() {
    const auto link = anchor_.link();
    // The client for whom there is none is gone.
    if (!IfMemory([this] { TakeClients(); }) && link.get() != nullptr) Rest(OutOfMemory());
  }

  void TakeClients() {
    if (!held_) return Accept();
    Watch(false);  // It stays readable.
    acceptor_.OnClientWaits();
  }

  void Accept() {
    const auto link = anchor_.link();
    for (int i = 0; i < kMaxAccepts && link.get() != nullptr && !held_; ++i) {
      OsHandle peer(accept4(socket().get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (peer.valid()) {
        SocketPeer who = PeerOfAccepted(peer);
        acceptor_.OnAccepted(
            std::make_unique<SocketStream>(std::move(peer), std::move(who), limits_, senders_));
      } else if (errno == EAGAIN) {
        return;
      } else if (errno != EINTR && errno != ECONNABORTED) {
        return Rest(ErrnoStatus("cannot accept a client at " + name_, errno));
      }
    }
  }

  void Rest(const Status& reason) {
    Watch(false);
    rest_.ArmAfter(kRest);
    acceptor_.OnAcceptFailed(*this, reason);
  }

  Anchor<SocketListener> anchor_{this};
  const Limits limits_;
  Acceptor& acceptor_;
  std::optional<SocketFile> file_;
  OsHandle socket_;
  std::string name_;
  SocketStream::Senders senders_;
  bool held_ = false;
  Timer rest_;
  std::unique_ptr<IoLoop::Watch> watch_;
};

Result<std::unique_ptr<Listener>> Open(IoLoop& loop, std::string name,
                                       std::optional<SocketFile> file, OsHandle socket,
                                       bool strict_senders, const Limits& limits,
                                       Listener::Acceptor& acceptor) {
  auto listener = std::make_unique<SocketListener>(
      loop, std::move(name), std::move(file), std::move(socket), strict_senders, limits, acceptor);
  if (Status status = listener->Open(loop); !status.ok()) return Error(std::move(status));
  return listener;
}

Result<OsHandle> BindAbstract(const Endpoint& endpoint, const ListenOptions& options) {
  auto address = ToSocketAddress(endpoint);
  if (!address) return Error(std::move(address).error());
  auto socket = NewSocket();
  if (!socket) return socket;
  if (bind(socket->get(), address->get(), address->size) != 0) {
    if (errno == EADDRINUSE) {
      return Error(StatusCode::kAlreadyExists, "a server is running at " + endpoint.ToString());
    }
    return Error(ErrnoStatus("cannot bind " + endpoint.ToString(), errno));
  }
  if (options.strict_senders) SetPassCredentials(*socket, true);
  if (listen(socket->get(), options.backlog) != 0) {
    return Error(ErrnoStatus("cannot listen at " + endpoint.ToString(), errno));
  }
  return socket;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listen(IoLoop& loop, const Endpoint& endpoint,
                                         const ListenOptions& options, const Limits& limits,
                                         Listener::Acceptor& acceptor) {
  if (Status status = CheckKind(endpoint); !status.ok()) return Error(std::move(status));
  if (endpoint.kind() == Endpoint::Kind::kAbstract) {
    auto socket = BindAbstract(endpoint, options);
    if (!socket) return Error(std::move(socket).error());
    return Open(loop, endpoint.ToString(), std::nullopt, std::move(*socket), options.strict_senders,
                limits, acceptor);
  }
  auto file = SocketFile::Create(endpoint, options);
  if (!file) return Error(std::move(file).error());
  return Open(loop, endpoint.ToString(), std::move(*file), OsHandle(), options.strict_senders,
              limits, acceptor);
}

Result<std::unique_ptr<Listener>> ListenOn(IoLoop& loop, OsHandle socket, const Limits& limits,
                                           Listener::Acceptor& acceptor) {
  if (Status status = CheckSocket(socket, true); !status.ok()) return Error(std::move(status));
  if (Status status = SetNonBlocking(socket); !status.ok()) return Error(std::move(status));
  std::string name = NameOf(socket);
  return Open(loop, std::move(name), std::nullopt, std::move(socket), false, limits, acceptor);
}

}  // namespace lwmsg::internal
