#include "runtime/posix/socket_address.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "runtime/posix/socket_options.h"

namespace lwmsg::internal {
namespace {

StatusCode CodeOf(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return StatusCode::kPermissionDenied;
    case ENOENT:
    case ENOTDIR:
      return StatusCode::kNotFound;
    case EEXIST:
    case EADDRINUSE:
      return StatusCode::kAlreadyExists;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ETOOMANYREFS:
    case ENOSPC:
      return StatusCode::kResourceExhausted;
    case EINVAL:
    case ENAMETOOLONG:
      return StatusCode::kInvalidArgument;
    case EPIPE:
    case ECONNRESET:
    case ECONNREFUSED:
    case ENOTCONN:
      return StatusCode::kUnavailable;
    default:
      return StatusCode::kInternal;
  }
}

int IntOption(const OsHandle& socket, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  if (getsockopt(socket.get(), SOL_SOCKET, option, &value, &size) != 0) return -1;
  return value;
}

}  // namespace

Status ErrnoStatus(const std::string& what, int error) {
  return Status(CodeOf(error), what + ": " + std::strerror(error));
}

Result<SocketAddress> ToSocketAddress(const Endpoint& endpoint) {
  SocketAddress result;
  const bool abstract = endpoint.kind() == Endpoint::Kind::kAbstract;
  const std::string name = (abstract ? std::string(1, '\0') : "") + endpoint.name();
  // A path keeps its terminating zero, an abstract name begins with one: the same room for both.
  const size_t room = sizeof(result.address.sun_path) - (abstract ? 0 : 1);
  if (name.size() > room) {
    return Error(StatusCode::kInvalidArgument,
                 "endpoint " + endpoint.ToString() + " has a name of " +
                     std::to_string(endpoint.name().size()) +
                     " bytes; a Unix socket's has at most " +
                     std::to_string(sizeof(result.address.sun_path) - 1));
  }
  result.address.sun_family = AF_UNIX;
  std::memcpy(result.address.sun_path, name.data(), name.size());
  result.size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1));
  return result;
}

Status CheckKind(const Endpoint& endpoint) {
  if (endpoint.kind() != Endpoint::Kind::kPipe) return Status();
  return Status(StatusCode::kUnimplemented, "endpoint " + endpoint.ToString() +
                                                " is for Windows only; use unix:/path/of/socket");
}

Result<OsHandle> NewSocket() {
  OsHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Error(ErrnoStatus("cannot make a socket", errno));
  return socket;
}

bool SetPassRights(const OsHandle& socket, bool passes) {
  const int value = passes ? 1 : 0;
  return setsockopt(socket.get(), SOL_SOCKET, kSoPassRights, &value, sizeof(value)) == 0;
}

bool PassesRights(const OsHandle& socket) {
  int value = 1;
  socklen_t size = sizeof(value);
  getsockopt(socket.get(), SOL_SOCKET, kSoPassRights, &value, &size);
  return value != 0;
}

void SetPassCredentials(const OsHandle& socket, bool passes) {
  const int value = passes ? 1 : 0;
  setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &value, sizeof(value));
}

Status CannotConnect(const Endpoint& endpoint, int error) {
  switch (error) {
    case ENOENT:
      return Status(StatusCode::kUnavailable,
                    "no server at " + endpoint.ToString() +
                        ": there is no such socket or directory; is the server running?");
    case ECONNREFUSED:
      return Status(StatusCode::kUnavailable,
                    "no server at " + endpoint.ToString() +
                        ": nobody listens there; a server that died may have left the name");
    case EACCES:
      return Status(StatusCode::kPermissionDenied,
                    "this user may not connect to " + endpoint.ToString() +
                        "; see the mode and group of the socket and its directories");
    default:
      return ErrnoStatus("cannot connect to " + endpoint.ToString(), error);
  }
}

Result<bool> ConnectOnce(const OsHandle& socket, const Endpoint& endpoint) {
  auto address = ToSocketAddress(endpoint);
  if (!address) return Error(std::move(address).error());
  if (connect(socket.get(), address->get(), address->size) == 0) return true;
  if (errno == EAGAIN || errno == EINTR) return false;
  return Error(CannotConnect(endpoint, errno));
}

Status CheckSocket(const OsHandle& socket, bool listening) {
  if (IntOption(socket, SO_DOMAIN) != AF_UNIX || IntOption(socket, SO_TYPE) != SOCK_STREAM) {
    return Status(StatusCode::kInvalidArgument,
                  "descriptor " + std::to_string(socket.get()) + " is no Unix stream socket");
  }
  if ((IntOption(socket, SO_ACCEPTCONN) == 1) != listening) {
    return Status(StatusCode::kInvalidArgument,
                  "socket " + std::to_string(socket.get()) +
                      (listening ? " does not listen" : " listens; give it to Server::ListenOn"));
  }
  return Status();
}

std::string NameOf(const OsHandle& socket) {
  SocketAddress name;
  name.size = sizeof(name.address);
  auto* address = reinterpret_cast<sockaddr*>(&name.address);
  const size_t before = offsetof(sockaddr_un, sun_path);
  if (getsockname(socket.get(), address, &name.size) != 0 || name.size <= before) {
    return "a socket without a name";
  }
  const std::string text(name.address.sun_path, name.size - before);
  if (text.front() == '\0') return "unix-abstract:" + text.substr(1);
  return "unix:" + text.substr(0, text.find('\0'));
}

Status SetNonBlocking(const OsHandle& socket) {
  const int flags = fcntl(socket.get(), F_GETFL);
  if (flags < 0 || fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return ErrnoStatus("cannot set up socket " + std::to_string(socket.get()), errno);
  }
  return Status();
}

bool SetBlocking(const OsHandle& socket, std::chrono::milliseconds longest) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(longest);
  const timeval timeout{whole.count(), std::chrono::microseconds(longest - whole).count()};
  return setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
         fcntl(socket.get(), F_SETFL, O_RDWR) == 0;
}

}  // namespace lwmsg::internal
