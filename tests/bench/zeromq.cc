// ZeroMQ: a ROUTER socket in the server, a DEALER socket for each connection of the client.

#include <errno.h>
#include <string.h>
#include <zmq.h>

#include "contender.h"

namespace bench {

namespace {

void* TheContext() {
  static void* const context = zmq_ctx_new();
  return context;
}

void* NewSocket(int type) {
  void* const socket = zmq_socket(TheContext(), type);
  Check(socket != nullptr, "zmq_socket");
  // As many as are sent wait, and none once it is closed.
  const int zero = 0;
  for (const int option : {ZMQ_SNDHWM, ZMQ_RCVHWM, ZMQ_LINGER})
    Check(zmq_setsockopt(socket, option, &zero, sizeof zero) == 0, "zmq_setsockopt");
  return socket;
}

class Message {
 public:
  Message() { zmq_msg_init(&message_); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { zmq_msg_close(&message_); }

  // False if there is none and `flags` say not to wait.
  bool Receive(void* socket, int flags) {
    const int got = zmq_msg_recv(&message_, socket, flags);
    Check(got >= 0 || errno == EAGAIN, "zmq_msg_recv");
    return got >= 0;
  }
  void Send(void* socket, int flags) {
    Check(zmq_msg_send(&message_, socket, flags) >= 0, "zmq_msg_send");
  }
  std::span<const char> bytes() {
    return {static_cast<const char*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
  }

 private:
  zmq_msg_t message_;
};

// The first byte of a request is its Kind.
void Serve(const std::string& endpoint, const std::function<void()>& ready) {
  void* const socket = NewSocket(ZMQ_ROUTER);
  Check(zmq_bind(socket, ("ipc://" + endpoint).c_str()) == 0, "zmq_bind");
  ready();
  while (true) {
    Message sender;
    Message kind;
    Message payload;
    sender.Receive(socket, 0);
    kind.Receive(socket, 0);
    payload.Receive(socket, 0);
    const auto asked = static_cast<Kind>(kind.bytes().front());
    sender.Send(socket, ZMQ_SNDMORE);
    if (asked == Kind::kEcho) {
      payload.Send(socket, 0);
    } else {
      const uint64_t digest = Digest(payload.bytes());
      Check(zmq_send(socket, &digest, sizeof digest, 0) >= 0, "zmq_send");
    }
  }
}

class Caller final : public Client {
 public:
  Caller(const std::string& endpoint, const Shape& shape)
      : shape_(shape), payload_(shape.bytes, 'x') {
    for (size_t i = 0; i < shape.connections; ++i) {
      connections_.push_back({NewSocket(ZMQ_DEALER)});
      Check(zmq_connect(connections_.back().socket, ("ipc://" + endpoint).c_str()) == 0,
            "zmq_connect");
    }
  }
  ~Caller() override {
    for (const Connection& connection : connections_) zmq_close(connection.socket);
  }

  void Run(Meter& meter) override {
    for (Connection& connection : connections_)
      for (size_t i = 0; i < shape_.outstanding; ++i) Send(connection);
    under_way_ = connections_.size() * shape_.outstanding;
    if (connections_.size() == 1) {
      while (under_way_ > 0) Receive(connections_[0], 0, meter);
      return;
    }
    std::vector<zmq_pollitem_t> items;
    for (const Connection& connection : connections_)
      items.push_back({connection.socket, 0, ZMQ_POLLIN, 0});
    while (under_way_ > 0) {
      Check(zmq_poll(items.data(), static_cast<int>(items.size()), -1) >= 0, "zmq_poll");
      for (size_t i = 0; i < items.size(); ++i)
        if (items[i].revents != 0) Receive(connections_[i], ZMQ_DONTWAIT, meter);
    }
  }

 private:
  struct Connection {
    void* socket;
    uint64_t next = 0;
    uint64_t received = 0;
  };

  void Send(Connection& connection) {
    const auto kind = static_cast<char>(shape_.kind);
    Stamp(payload_, connection.next++);
    Check(zmq_send(connection.socket, &kind, 1, ZMQ_SNDMORE) >= 0, "zmq_send");
    Check(zmq_send(connection.socket, payload_.data(), payload_.size(), 0) >= 0, "zmq_send");
  }

  void Receive(Connection& connection, int flags, Meter& meter) {
    Message reply;
    if (!reply.Receive(connection.socket, flags)) return;
    const uint64_t number = connection.received++;
    if (shape_.kind == Kind::kEcho) {
      CheckEcho(reply.bytes(), shape_.bytes, number);
    } else {
      const uint64_t digest = ExpectedDigest(shape_.bytes, number);
      Check(memcmp(reply.bytes().data(), &digest, sizeof digest) == 0, "a wrong digest");
    }
    if (meter.Done())
      Send(connection);
    else
      --under_way_;
  }

  Shape shape_;
  std::string payload_;
  std::vector<Connection> connections_;
  size_t under_way_ = 0;
};

std::unique_ptr<Client> Connect(const std::string& endpoint, const Shape& shape) {
  if (shape.kind == Kind::kPass || shape.kind == Kind::kShare) return nullptr;
  return std::make_unique<Caller>(endpoint, shape);
}

}  // namespace

std::vector<Contender> Contenders() {
  return {{.name = "zeromq", .serve = Serve, .connect = Connect}};
}

}  // namespace bench
