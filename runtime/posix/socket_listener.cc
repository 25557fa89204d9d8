#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

// More than can wait at a socket (net.core.somaxconn is 4,096 by default).
constexpr int kMostWaiting = 8192;

// How long accepting rests when it failed, as it does without a descriptor left; the backlog holds
// the clients, and trying again at once would only burn the processor.
constexpr std::chrono::milliseconds kRest{100};

// A socket that listens.
struct Listening {
  std::string name;
  // Set if the socket has a name that goes with it; otherwise `socket` is.
  std::optional<SocketFile> file;
  OsHandle socket;
  // By somebody who may have it too, and serve its clients.
  bool given = false;
  bool strict_senders = false;
};

class SocketListener final : public Listener {
 public:
  SocketListener(IoLoop& loop, Listening listening, const Limits& limits, Acceptor& acceptor)
      : limits_(limits),
        acceptor_(acceptor),
        listening_(std::move(listening)),
        takes_handles_(PassesRights(socket())),
        rest_(loop, [this] { Watch(true); }) {}

  ~SocketListener() override {
    watch_.reset();
    if (listening_.given || has_taken_handles_) IfMemory([this] { LetGoOfClients(); });
  }

  Status Open(IoLoop& loop) {
    auto watch = loop.MakeWatch(socket().get(), [this](IoLoop::Ready) { OnReadable(); });
    if (!watch) return std::move(watch).error();
    watch_ = std::move(*watch);
    Watch(true);
    return Status();
  }

  void TakeHandles(bool takes) override {
    // If it stays as it was, the accepted sockets try for themselves.
    if (takes != takes_handles_ && SetPassRights(socket(), takes)) takes_handles_ = takes;
    has_taken_handles_ |= takes_handles_;
  }

  // Goes on to watch, to tell when a client waits.
  void Hold() override { held_ = true; }

  void Resume() override {
    if (!std::exchange(held_, false) || rest_.when()) return;
    Watch(true);
  }

  const std::string& name() const override { return listening_.name; }

 private:
  void Watch(bool wanted) { watch_->Want({wanted, false}); }

  const OsHandle& socket() {
    return listening_.file ? listening_.file->socket() : listening_.socket;
  }

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
        acceptor_.OnAccepted(std::make_unique<SocketStream>(std::move(peer), std::move(who),
                                                            limits_, listening_.strict_senders));
      } else if (errno == EAGAIN) {
        return;
      } else if (errno != EINTR && errno != ECONNABORTED) {
        return Rest(ErrnoStatus("cannot accept a client at " + listening_.name, errno));
      }
    }
  }

  // With the last descriptor of a listening socket goes what its waiting clients have sent, of
  // which something may be slow to close: not on the loop.
  void LetGoOfClients() {
    if (listening_.given) {
      std::vector<OsHandle> socket;
      socket.push_back(std::move(listening_.socket));
      return CloseLater(std::move(socket));
    }
    for (int i = 0; i < kMostWaiting; ++i) {
      OsHandle peer(accept4(socket().get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!peer.valid()) return;
      const SocketStream ended(std::move(peer), {}, limits_, false);
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
  Listening listening_;
  bool takes_handles_;
  bool has_taken_handles_ = false;
  bool held_ = false;
  Timer rest_;
  std::unique_ptr<IoLoop::Watch> watch_;
};

Result<std::unique_ptr<Listener>> Open(IoLoop& loop, Listening listening, const Limits& limits,
                                       Listener::Acceptor& acceptor) {
  auto listener = std::make_unique<SocketListener>(loop, std::move(listening), limits, acceptor);
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
  Listening listening;
  listening.name = endpoint.ToString();
  listening.strict_senders = options.strict_senders;
  if (endpoint.kind() == Endpoint::Kind::kAbstract) {
    auto socket = BindAbstract(endpoint, options);
    if (!socket) return Error(std::move(socket).error());
    listening.socket = std::move(*socket);
  } else {
    auto file = SocketFile::Create(endpoint, options);
    if (!file) return Error(std::move(file).error());
    listening.file.emplace(std::move(*file));
  }
  return Open(loop, std::move(listening), limits, acceptor);
}

Result<std::unique_ptr<Listener>> ListenOn(IoLoop& loop, OsHandle socket, const Limits& limits,
                                           Listener::Acceptor& acceptor) {
  if (Status status = CheckSocket(socket, true); !status.ok()) return Error(std::move(status));
  if (Status status = SetNonBlocking(socket); !status.ok()) return Error(std::move(status));
  Listening listening;
  listening.name = NameOf(socket);
  listening.socket = std::move(socket);
  listening.given = true;
  return Open(loop, std::move(listening), limits, acceptor);
}

}  // namespace lwmsg::internal
