// The floor where many calls are under way: one epoll loop on each side; what one read brings is
// answered with one write. And the same server with a client that waits in recvmsg.

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "raw_blocking.h"
#include "raw_frames.h"
#include "sockets.h"

namespace bench {

namespace {

constexpr size_t kReadBytes = 256 * 1024;

struct Stream {
  int socket;
  // What is not a whole frame yet; what the kernel did not take yet.
  std::string input;
  std::string output;
  uint64_t received = 0;
};

class EpollLoop {
 public:
  EpollLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) { Check(epoll_ >= 0, "epoll_create1"); }
  EpollLoop(const EpollLoop&) = delete;
  EpollLoop& operator=(const EpollLoop&) = delete;
  virtual ~EpollLoop() { close(epoll_); }

 protected:
  void Watch(int socket, void* what) { Control(EPOLL_CTL_ADD, socket, what, EPOLLIN); }

  // Waits once.
  void Turn() {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
    Check(count >= 0 || errno == EINTR, "epoll_wait");
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      auto* const stream = static_cast<Stream*>(event.data.ptr);
      if (stream == nullptr) {
        OnClient();
        continue;
      }
      if ((event.events & EPOLLOUT) != 0) Flush(*stream, {});
      if ((event.events & ~EPOLLOUT) != 0) Read(*stream);
    }
  }

  void Queue(const RawFrame& frame) {
    batch_.append(reinterpret_cast<const char*>(&frame.header), sizeof frame.header);
    batch_.append(frame.payload.data(), frame.payload.size());
  }
  void SendQueued(Stream& stream) {
    Flush(stream, batch_);
    batch_.clear();
  }
  // One that has a descriptor goes alone.
  void SendNow(Stream& stream, const RawFrame& frame) {
    SendQueued(stream);
    const ssize_t sent = RawSend(stream.socket, frame.header, frame.payload, frame.file);
    Check(sent == static_cast<ssize_t>(sizeof frame.header + frame.payload.size()), "sendmsg");
  }

  virtual void OnClient() {}
  virtual void OnFrame(Stream& stream, const RawFrame& frame) = 0;
  virtual void OnEnd(Stream& stream) = 0;

 private:
  void Control(int operation, int socket, void* what, uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.ptr = what;
    Check(epoll_ctl(epoll_, operation, socket, &event) == 0, "epoll_ctl");
  }

  void Flush(Stream& stream, std::string_view further) {
    const bool waited = !stream.output.empty();
    stream.output.append(waited ? further : std::string_view());
    std::string_view rest = waited ? stream.output : further;
    if (rest.empty()) return;
    const ssize_t sent = send(stream.socket, rest.data(), rest.size(), MSG_NOSIGNAL);
    Check(sent >= 0 || errno == EAGAIN, "send");
    rest.remove_prefix(static_cast<size_t>(std::max<ssize_t>(sent, 0)));
    stream.output = std::string(rest);
    if (waited != !rest.empty())
      Control(EPOLL_CTL_MOD, stream.socket, &stream, rest.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
  }

  void Read(Stream& stream) {
    // Shared, and not cleared for each loop.
    static std::array<char, kReadBytes> buffer;
    int file = -1;
    const ssize_t got = RawReceive(stream.socket, buffer, file);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return OnEnd(stream);
    std::span<char> bytes(buffer.data(), static_cast<size_t>(got));
    const bool waited = !stream.input.empty();
    if (waited) bytes = stream.input.append(bytes.data(), bytes.size());
    const std::span<char> rest = TakeFrames(stream, bytes, file);
    SendQueued(stream);
    if (rest.size() == bytes.size() && waited) return;
    stream.input = std::string(rest.begin(), rest.end());
  }

  std::span<char> TakeFrames(Stream& stream, std::span<char> bytes, int file) {
    RawFrame frame;
    while (bytes.size() >= sizeof frame.header) {
      memcpy(&frame.header, bytes.data(), sizeof frame.header);
      const size_t whole = sizeof frame.header + frame.header.size;
      if (bytes.size() < whole) {
        stream.input.reserve(whole + kReadBytes);
        break;
      }
      frame.payload = bytes.subspan(sizeof frame.header, frame.header.size);
      // The kernel never joins what comes with a descriptor to what was sent before it.
      frame.file = std::exchange(file, -1);
      OnFrame(stream, frame);
      bytes = bytes.subspan(whole);
    }
    return bytes;
  }

  int epoll_;
  std::string batch_;
};

class EpollServer final : public EpollLoop {
 public:
  explicit EpollServer(const std::string& endpoint) : listener_(ListenAt(endpoint, SOCK_NONBLOCK)) {
    Watch(listener_, nullptr);
  }

  void Run() {
    while (true) Turn();
  }

 private:
  void OnClient() override {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) Watch(socket, new Stream{socket, {}, {}});
  }

  void OnFrame(Stream& stream, const RawFrame& request) override {
    uint64_t number = 0;
    const std::span<const char> payload = RawReply(request, number);
    RawFrame reply = request;
    reply.payload = {const_cast<char*>(payload.data()), payload.size()};
    reply.header.size = static_cast<uint32_t>(payload.size());
    if (static_cast<Kind>(request.header.kind) == Kind::kPass)
      SendNow(stream, reply);
    else
      Queue(reply);
    if (request.file >= 0) close(request.file);
  }

  void OnEnd(Stream& stream) override {
    close(stream.socket);
    delete &stream;
  }

  int listener_;
};

class EpollCaller final : public Client, EpollLoop {
 public:
  EpollCaller(const std::string& endpoint, const Shape& shape)
      : calls_(shape.connections), outstanding_(shape.outstanding) {
    for (auto& calls : calls_) calls = std::make_unique<RawCalls>(shape);
    streams_.resize(shape.connections);
    for (Stream& stream : streams_) {
      stream.socket = ConnectTo(endpoint, SOCK_NONBLOCK);
      Watch(stream.socket, &stream);
    }
  }
  ~EpollCaller() override {
    for (const Stream& stream : streams_) close(stream.socket);
  }

  void Run(Meter& meter) override {
    meter_ = &meter;
    for (Stream& stream : streams_) {
      for (size_t i = 0; i < outstanding_; ++i) Call(stream);
      SendQueued(stream);
    }
    while (under_way_ > 0) Turn();
  }

 private:
  RawCalls& CallsOf(const Stream& stream) {
    return *calls_[static_cast<size_t>(&stream - streams_.data())];
  }

  void Call(Stream& stream) {
    ++under_way_;
    const RawFrame request = CallsOf(stream).Next();
    if (request.file >= 0)
      SendNow(stream, request);
    else
      Queue(request);
  }

  void OnFrame(Stream& stream, const RawFrame& reply) override {
    CallsOf(stream).CheckReply(reply, stream.received++);
    --under_way_;
    if (meter_->Done()) Call(stream);
  }

  void OnEnd(Stream& /*stream*/) override { Die("the server hung up"); }

  std::vector<std::unique_ptr<RawCalls>> calls_;
  std::vector<Stream> streams_;
  size_t outstanding_;
  size_t under_way_ = 0;
  Meter* meter_ = nullptr;
};

void Serve(const std::string& endpoint, const std::function<void()>& ready) {
  EpollServer server(endpoint);
  ready();
  server.Run();
}

std::unique_ptr<Client> ConnectEpoll(const std::string& endpoint, const Shape& shape) {
  return std::make_unique<EpollCaller>(endpoint, shape);
}

}  // namespace

std::vector<Contender> Contenders() {
  return {{.name = "raw-epoll", .serve = Serve, .connect = ConnectEpoll},
          {.name = "raw-epoll-server", .serve = Serve, .connect = ConnectBlocking}};
}

}  // namespace bench
