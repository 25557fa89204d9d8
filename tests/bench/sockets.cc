#include "sockets.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "contender.h"

namespace bench {

namespace {

constexpr int kBacklog = 1024;

sockaddr_un Address(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

int Socket(int flags) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  Check(socket >= 0, "socket");
  return socket;
}

}  // namespace

int ListenAt(const std::string& endpoint, int flags) {
  const int socket = Socket(flags);
  const sockaddr_un address = Address(endpoint);
  Check(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
  Check(listen(socket, kBacklog) == 0, "listen");
  return socket;
}

int ConnectTo(const std::string& endpoint, int flags) {
  const int socket = Socket(flags);
  const sockaddr_un address = Address(endpoint);
  Check(connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
        "connect");
  return socket;
}

}  // namespace bench
