#include "tests/support/posix/lingering_sockets.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>

namespace lwmsg::test {
namespace {

// That little is on its way soon fills them.
void HaveSmallBuffers(const OsHandle& socket) {
  const int bytes = 4096;
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

}  // namespace

LingeringSockets::LingeringSockets(std::chrono::seconds linger)
    : linger_(linger), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  HaveSmallBuffers(listening_);  // Accepted ones too (tcp(7)).
  address_.sin_family = AF_INET;
  address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address_);
  bind(listening_.get(), reinterpret_cast<sockaddr*>(&address_), size);
  listen(listening_.get(), 8);
  getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address_), &size);
}

OsHandle LingeringSockets::New() {
  OsHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  HaveSmallBuffers(socket);
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address_), sizeof(address_)) != 0) {
    return OsHandle();
  }
  other_ends_.emplace_back(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const linger wait{1, static_cast<int>(linger_.count())};
  setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
  const std::array<char, 64 << 10> some{};
  while (send(socket.get(), some.data(), some.size(), MSG_DONTWAIT) > 0) {
  }
  return socket;
}

}  // namespace lwmsg::test
