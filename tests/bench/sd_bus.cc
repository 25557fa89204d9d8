// sd-bus, peer to peer: an sd-event loop in the server, a bus object for each connection.

#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "contender.h"
#include "sockets.h"

namespace bench {

namespace {

constexpr char kPath[] = "/bench";
constexpr char kInterface[] = "org.lwmsg.Bench";

int Must(int result, const char* what) {
  if (result >= 0) return result;
  errno = -result;
  Die(what);
}

std::span<const char> ReadPayload(sd_bus_message* message) {
  const void* data = nullptr;
  size_t size = 0;
  Must(sd_bus_message_read_array(message, 'y', &data, &size), "sd_bus_message_read_array");
  return {static_cast<const char*>(data), size};
}

int SendAndDrop(sd_bus_message* reply) {
  const int result = sd_bus_message_send(reply);
  sd_bus_message_unref(reply);
  return result;
}

int Echo(sd_bus_message* call, void* /*data*/, sd_bus_error* /*error*/) {
  const std::span<const char> payload = ReadPayload(call);
  sd_bus_message* reply = nullptr;
  Must(sd_bus_message_new_method_return(call, &reply), "sd_bus_message_new_method_return");
  Must(sd_bus_message_append_array(reply, 'y', payload.data(), payload.size()), "append");
  return SendAndDrop(reply);
}

int Take(sd_bus_message* call, void* /*data*/, sd_bus_error* /*error*/) {
  return sd_bus_reply_method_return(call, "t", Digest(ReadPayload(call)));
}

int Pass(sd_bus_message* call, void* /*data*/, sd_bus_error* /*error*/) {
  int file = -1;
  Must(sd_bus_message_read(call, "h", &file), "sd_bus_message_read");
  return sd_bus_reply_method_return(call, "h", file);
}

int Share(sd_bus_message* call, void* /*data*/, sd_bus_error* /*error*/) {
  int file = -1;
  uint64_t bytes = 0;
  Must(sd_bus_message_read(call, "ht", &file, &bytes), "sd_bus_message_read");
  return sd_bus_reply_method_return(call, "t", SharedDigest(file, bytes));
}

const sd_bus_vtable kTable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Echo", "ay", "ay", Echo, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Take", "ay", "t", Take, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Pass", "h", "h", Pass, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Share", "ht", "t", Share, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

sd_bus* NewBus(int socket) {
  sd_bus* bus = nullptr;
  Must(sd_bus_new(&bus), "sd_bus_new");
  Must(sd_bus_set_fd(bus, socket, socket), "sd_bus_set_fd");
  Must(sd_bus_negotiate_fds(bus, 1), "sd_bus_negotiate_fds");
  return bus;
}

int OnDisconnected(sd_bus_message* signal, void* /*data*/, sd_bus_error* /*error*/) {
  sd_bus* const bus = sd_bus_message_get_bus(signal);
  sd_bus_detach_event(bus);
  sd_bus_close(bus);
  sd_bus_unref(bus);
  return 0;
}

int OnClient(sd_event_source* source, int listener, uint32_t /*events*/, void* /*data*/) {
  const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket < 0) return 0;
  sd_bus* const bus = NewBus(socket);
  sd_id128_t id;
  Must(sd_id128_randomize(&id), "sd_id128_randomize");
  Must(sd_bus_set_server(bus, 1, id), "sd_bus_set_server");
  Must(sd_bus_set_anonymous(bus, 1), "sd_bus_set_anonymous");
  Must(sd_bus_add_object_vtable(bus, nullptr, kPath, kInterface, kTable, nullptr), "vtable");
  Must(sd_bus_match_signal(bus, nullptr, nullptr, "/org/freedesktop/DBus/Local",
                           "org.freedesktop.DBus.Local", "Disconnected", OnDisconnected, nullptr),
       "sd_bus_match_signal");
  Must(sd_bus_start(bus), "sd_bus_start");
  Must(sd_bus_attach_event(bus, sd_event_source_get_event(source), 0), "sd_bus_attach_event");
  return 0;
}

void Serve(const std::string& endpoint, const std::function<void()>& ready) {
  sd_event* event = nullptr;
  Must(sd_event_new(&event), "sd_event_new");
  const int listener = ListenAt(endpoint, SOCK_NONBLOCK);
  Must(sd_event_add_io(event, nullptr, listener, EPOLLIN, OnClient, nullptr), "sd_event_add_io");
  ready();
  Must(sd_event_loop(event), "sd_event_loop");
}

// One connection of a client. Its calls are answered in order.
struct Connection {
  sd_bus* bus;
  uint64_t next = 0;
  uint64_t received = 0;
};

class Caller final : public Client {
 public:
  Caller(const std::string& endpoint, const Shape& shape)
      : shape_(shape), payload_(shape.bytes, 'x') {
    // With one call under way sd_bus_call waits for it, without a loop.
    if (!single()) Must(sd_event_new(&event_), "sd_event_new");
    for (size_t i = 0; i < shape.connections; ++i) {
      connections_.push_back({NewBus(ConnectTo(endpoint, 0))});
      sd_bus* const bus = connections_.back().bus;
      Must(sd_bus_start(bus), "sd_bus_start");
      if (!single()) Must(sd_bus_attach_event(bus, event_, 0), "sd_bus_attach_event");
    }
    if (shape.kind == Kind::kShare) shared_digest_ = ExpectedSharedDigest(shape.bytes);
    if (shape.kind == Kind::kPass || shape.kind == Kind::kShare) file_ = MakeShared(shape.bytes);
  }
  ~Caller() override {
    for (const Connection& connection : connections_) sd_bus_close_unref(connection.bus);
    sd_event_unref(event_);
    if (file_ >= 0) close(file_);
  }

  void Run(Meter& meter) override {
    meter_ = &meter;
    if (single()) return RunSingle();
    for (Connection& connection : connections_)
      for (size_t i = 0; i < shape_.outstanding; ++i, ++under_way_) Start(connection);
    while (under_way_ > 0) Must(sd_event_run(event_, UINT64_MAX), "sd_event_run");
  }

 private:
  bool single() const { return shape_.connections * shape_.outstanding == 1; }

  void RunSingle() {
    Connection& connection = connections_[0];
    do {
      sd_bus_message* const call = NewCall(connection);
      sd_bus_message* reply = nullptr;
      Must(sd_bus_call(connection.bus, call, 0, nullptr, &reply), "sd_bus_call");
      sd_bus_message_unref(call);
      CheckReply(reply, connection.received++);
      sd_bus_message_unref(reply);
    } while (meter_->Done());
  }

  void Start(Connection& connection) {
    sd_bus_message* const call = NewCall(connection);
    Must(sd_bus_call_async(connection.bus, nullptr, call, OnReply, this, 0), "sd_bus_call_async");
    sd_bus_message_unref(call);
  }

  static int OnReply(sd_bus_message* reply, void* data, sd_bus_error* /*error*/) {
    auto& self = *static_cast<Caller*>(data);
    Check(sd_bus_message_is_method_error(reply, nullptr) == 0, "an error for an answer");
    sd_bus* const bus = sd_bus_message_get_bus(reply);
    const auto connection = std::ranges::find(self.connections_, bus, &Connection::bus);
    self.CheckReply(reply, connection->received++);
    if (self.meter_->Done())
      self.Start(*connection);
    else
      --self.under_way_;
    return 0;
  }

  sd_bus_message* NewCall(Connection& connection) {
    static constexpr const char* kMembers[] = {"Echo", "Take", "Pass", "Share"};
    sd_bus_message* call = nullptr;
    Must(sd_bus_message_new_method_call(connection.bus, &call, nullptr, kPath, kInterface,
                                        kMembers[static_cast<size_t>(shape_.kind)]),
         "sd_bus_message_new_method_call");
    const uint64_t number = connection.next++;
    if (file_ >= 0) {
      Must(sd_bus_message_append(call, "h", file_), "append");
      if (shape_.kind == Kind::kShare)
        Must(sd_bus_message_append(call, "t", static_cast<uint64_t>(shape_.bytes)), "append");
      return call;
    }
    Stamp(payload_, number);
    Must(sd_bus_message_append_array(call, 'y', payload_.data(), payload_.size()), "append");
    return call;
  }

  void CheckReply(sd_bus_message* reply, uint64_t number) const {
    if (shape_.kind == Kind::kEcho) return CheckEcho(ReadPayload(reply), shape_.bytes, number);
    if (shape_.kind == Kind::kPass) {
      int file = -1;
      Must(sd_bus_message_read(reply, "h", &file), "sd_bus_message_read");
      return CheckFile(file);
    }
    uint64_t digest = 0;
    Must(sd_bus_message_read(reply, "t", &digest), "sd_bus_message_read");
    Check(digest ==
              (shape_.kind == Kind::kShare ? shared_digest_ : ExpectedDigest(shape_.bytes, number)),
          "a wrong digest");
  }

  Shape shape_;
  std::string payload_;
  std::vector<Connection> connections_;
  sd_event* event_ = nullptr;
  int file_ = -1;
  uint64_t shared_digest_ = 0;
  size_t under_way_ = 0;
  Meter* meter_ = nullptr;
};

}  // namespace

std::vector<Contender> Contenders() {
  return {
      {.name = "sd-bus",
       .serve = Serve,
       .connect = [](const std::string& endpoint, const Shape& shape) -> std::unique_ptr<Client> {
         return std::make_unique<Caller>(endpoint, shape);
       }}};
}

}  // namespace bench
