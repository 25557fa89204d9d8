// The floor: blocking sockets, a thread for each connection.

#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "raw_blocking.h"
#include "sockets.h"

namespace bench {

namespace {

void ServeConnection(int socket) {
  BlockingSocket peer(socket);
  RawFrame frame;
  while (peer.Receive(frame)) {
    uint64_t number = 0;
    const int file = frame.file;
    const std::span<const char> reply = RawReply(frame, number);
    frame.payload = {const_cast<char*>(reply.data()), reply.size()};
    frame.header.size = static_cast<uint32_t>(reply.size());
    if (static_cast<Kind>(frame.header.kind) != Kind::kPass) frame.file = -1;
    peer.Send(frame);
    if (file >= 0) close(file);
  }
}

void Serve(const std::string& endpoint, const std::function<void()>& ready) {
  const int listener = ListenAt(endpoint, 0);
  ready();
  while (true) {
    const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    Check(socket >= 0, "accept");
    std::thread(ServeConnection, socket).detach();
  }
}

}  // namespace

std::vector<Contender> Contenders() {
  return {{.name = "raw-block", .serve = Serve, .connect = ConnectBlocking}};
}

}  // namespace bench
