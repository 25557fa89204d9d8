#include "tests/reliability/raw.h"

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "tests/support/posix/rights.h"

namespace lwmsg::test {

std::string WorkFrame(uint32_t id, uint16_t method,
                      const std::function<void(capnp::AnyPointer::Builder)>& fill,
                      uint16_t handles) {
  return EnvelopeFrame(
      [&](auto envelope) {
        auto call = envelope.initCall();
        call.setId(id);
        call.setInterfaceId(capnp::typeId<reliability::Work>());
        call.setMethod(method);
        if (fill) fill(call.getParams());
      },
      handles);
}

std::string CountFrame(uint32_t id) {
  return WorkFrame(id, kWorkCount,
                   [](auto params) { params.template initAs<reliability::Work::CountParams>(); });
}

std::string WorkBlobFrame(uint32_t id, uint32_t size) {
  return WorkFrame(id, kWorkBlob, [size](auto params) {
    params.template initAs<reliability::Work::BlobParams>().setSize(size);
  });
}

std::string DataFrame(uint32_t id, uint16_t method, uint32_t size) {
  return WorkFrame(id, method, [size](auto params) {
    auto data = params.template initAs<reliability::Work::KeepParams>().initData(size);
    std::memset(data.begin(), 'x', data.size());
  });
}

std::string TakeFrame(uint32_t id, uint16_t handles) {
  return WorkFrame(
      id, kWorkTake,
      [](auto params) {
        params.template initAs<reliability::Work::TakeParams>().getFile().setSlot(1);
      },
      handles);
}

OsHandle ConnectRaw(const std::string& endpoint) {
  OsHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval second{1, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  constexpr std::string_view kUnix = "unix:";
  endpoint.substr(kUnix.size()).copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return OsHandle();
  }
  const timeval never{0, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &never, sizeof(never));
  return socket;
}

bool Send(const OsHandle& socket, std::string_view bytes) { return SendWith(socket, bytes, -1, 0); }

bool SendWith(const OsHandle& socket, std::string_view bytes, int handle, size_t times) {
  std::vector<std::vector<int>> sets = {std::vector<int>(times, handle)};
  while (!bytes.empty()) {
    const ssize_t size = SendRights(socket, bytes, sets, MSG_NOSIGNAL);
    if (size < 0 && (errno == ETOOMANYREFS || errno == EINTR)) {
      sched_yield();
      continue;
    }
    if (size < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(size));
    sets.clear();
  }
  return true;
}

std::optional<RawFrame> FrameSource::Next(std::chrono::milliseconds longest) {
  while (true) {
    if (unread_.size() >= kHeaderBytes) {
      uint32_t words = 0;
      std::memcpy(&words, unread_.data() + 4, sizeof(words));
      const size_t end = kHeaderBytes + size_t{8} * words;
      if (unread_.size() >= end) {
        RawFrame frame(std::string_view(unread_).substr(kHeaderBytes, size_t{8} * words));
        unread_.erase(0, end);
        return frame;
      }
    }
    pollfd readable{socket_.get(), POLLIN, 0};
    if (poll(&readable, 1, static_cast<int>(longest.count())) != 1) return std::nullopt;
    std::array<char, 64 << 10> bytes;
    const ssize_t size = recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (size <= 0) return std::nullopt;
    unread_.append(bytes.data(), static_cast<size_t>(size));
  }
}

std::optional<RawFrame> FrameSource::NextReply() {
  while (auto frame = Next()) {
    if (frame->envelope().isReply()) return frame;
  }
  return std::nullopt;
}

bool GreetAndCall(const OsHandle& socket) {
  FrameSource source(socket);
  if (!Send(socket, HelloFrame() + CountFrame(1))) return false;
  const auto reply = source.NextReply();
  return reply && reply->envelope().getReply().getStatus() == 0;
}

}  // namespace lwmsg::test
