#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "lwmsg/internal/link.h"
#include "runtime/platform.h"
#include "runtime/posix/socket_address.h"
#include "runtime/posix/socket_file.h"

namespace lwmsg::internal {
namespace {

// Accepted in one go before others on the loop get their turn.
constexpr int kMaxAccepts = 16;

// How long accepting rests when this process has no descriptor left; the backlog holds the clients,
// and trying again at once would only burn the processor.
constexpr std::chrono::milliseconds kRest{100};

class SocketListener final : public Listener {
 public:
  // `file` is set if the socket has a name that goes with it; otherwise `socket` is.
  SocketListener(IoLoop& loop, std::optional<SocketFile> file, OsHandle socket,
                 AcceptCallback accepted)
      : accepted_(std::move(accepted)),
        file_(std::move(file)),
        socket_(std::move(socket)),
        rest_(loop, [this] { watch_->Want({true, false}); }) {}

  Status Open(IoLoop& loop) {
    auto watch = loop.WatchSocket(socket().get(), [this](IoLoop::Ready) { Accept(); });
    if (!watch) return std::move(watch).error();
    watch_ = std::move(*watch);
    watch_->Want({true, false});
    return Status();
  }

 private:
  const OsHandle& socket() { return file_ ? file_->socket() : socket_; }

  void Accept() {
    const auto link = anchor_.link();
    for (int i = 0; i < kMaxAccepts && link.get() != nullptr; ++i) {
      OsHandle peer(accept4(socket().get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (peer.valid()) {
        accepted_(std::move(peer));
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        watch_->Want({false, false});
        return rest_.ArmAfter(kRest);
      } else if (errno != EINTR && errno != ECONNABORTED) {
        return;
      }
    }
  }

  Anchor<SocketListener> anchor_{this};
  AcceptCallback accepted_;
  std::optional<SocketFile> file_;
  OsHandle socket_;
  Timer rest_;
  std::unique_ptr<IoLoop::Watch> watch_;
};

Result<std::unique_ptr<Listener>> Open(IoLoop& loop, std::optional<SocketFile> file,
                                       OsHandle socket, AcceptCallback accepted) {
  auto listener = std::make_unique<SocketListener>(loop, std::move(file), std::move(socket),
                                                   std::move(accepted));
  if (Status status = listener->Open(loop); !status.ok()) return Error(std::move(status));
  return listener;
}

Result<OsHandle> BindAbstract(const Endpoint& endpoint, int backlog) {
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
  if (listen(socket->get(), backlog) != 0) {
    return Error(ErrnoStatus("cannot listen at " + endpoint.ToString(), errno));
  }
  return socket;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listen(IoLoop& loop, const Endpoint& endpoint,
                                         const ListenOptions& options, AcceptCallback accepted) {
  if (endpoint.kind() == Endpoint::Kind::kAbstract) {
    auto socket = BindAbstract(endpoint, options.backlog);
    if (!socket) return Error(std::move(socket).error());
    return Open(loop, std::nullopt, std::move(*socket), std::move(accepted));
  }
  auto file = SocketFile::Create(endpoint, options);
  if (!file) return Error(std::move(file).error());
  return Open(loop, std::move(*file), OsHandle(), std::move(accepted));
}

Result<std::unique_ptr<Listener>> ListenOn(IoLoop& loop, OsHandle socket, AcceptCallback accepted) {
  if (Status status = CheckSocket(socket, true); !status.ok()) return Error(std::move(status));
  if (Status status = SetNonBlocking(socket); !status.ok()) return Error(std::move(status));
  return Open(loop, std::nullopt, std::move(socket), std::move(accepted));
}

}  // namespace lwmsg::internal
