// Thrift: binary protocol over buffered sockets, a thread for each connection.

#include <Bench.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/server/TThreadedServer.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TServerSocket.h>
#include <thrift/transport/TSocket.h>

#include "contender.h"

namespace bench {

namespace {

using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::protocol::TBinaryProtocolFactory;
using apache::thrift::server::TServerEventHandler;
using apache::thrift::server::TThreadedServer;
using apache::thrift::transport::TBufferedTransport;
using apache::thrift::transport::TBufferedTransportFactory;
using apache::thrift::transport::TServerSocket;
using apache::thrift::transport::TSocket;

class Service final : public thrift_api::BenchIf {
  void echo(std::string& reply, const std::string& data) override { reply = data; }
  int64_t take(const std::string& data) override { return static_cast<int64_t>(Digest(data)); }
};

class Starting final : public TServerEventHandler {
 public:
  explicit Starting(std::function<void()> ready) : ready_(std::move(ready)) {}
  void preServe() override { ready_(); }

 private:
  std::function<void()> ready_;
};

void Serve(const std::string& endpoint, const std::function<void()>& ready) {
  TThreadedServer server(std::make_shared<thrift_api::BenchProcessor>(std::make_shared<Service>()),
                         std::make_shared<TServerSocket>(endpoint),
                         std::make_shared<TBufferedTransportFactory>(),
                         std::make_shared<TBinaryProtocolFactory>());
  server.setServerEventHandler(std::make_shared<Starting>(ready));
  server.serve();
}

class Caller final : public Client {
 public:
  Caller(const std::string& endpoint, const Shape& shape)
      : shape_(shape),
        payload_(shape.bytes, 'x'),
        transport_(std::make_shared<TBufferedTransport>(std::make_shared<TSocket>(endpoint))),
        client_(std::make_shared<TBinaryProtocol>(transport_)) {
    transport_->open();
  }
  ~Caller() override { transport_->close(); }

  // The client has one call under way; its two halves allow more, which are answered in order.
  void Run(Meter& meter) override {
    for (size_t i = 0; i < shape_.outstanding; ++i) Send();
    size_t under_way = shape_.outstanding;
    while (under_way > 0) {
      CheckReply();
      if (meter.Done())
        Send();
      else
        --under_way;
    }
  }

 private:
  void Send() {
    Stamp(payload_, next_++);
    if (shape_.kind == Kind::kEcho)
      client_.send_echo(payload_);
    else
      client_.send_take(payload_);
  }

  void CheckReply() {
    const uint64_t number = received_++;
    if (shape_.kind == Kind::kTake) {
      const auto digest = static_cast<uint64_t>(client_.recv_take());
      return Check(digest == ExpectedDigest(shape_.bytes, number), "a wrong digest");
    }
    std::string reply;
    client_.recv_echo(reply);
    CheckEcho(reply, shape_.bytes, number);
  }

  Shape shape_;
  std::string payload_;
  std::shared_ptr<TBufferedTransport> transport_;
  thrift_api::BenchClient client_;
  uint64_t next_ = 0;
  uint64_t received_ = 0;
};

std::unique_ptr<Client> Connect(const std::string& endpoint, const Shape& shape) {
  if (shape.kind == Kind::kPass || shape.kind == Kind::kShare || shape.connections > 1)
    return nullptr;
  return std::make_unique<Caller>(endpoint, shape);
}

}  // namespace

std::vector<Contender> Contenders() {
  return {{.name = "thrift", .serve = Serve, .connect = Connect}};
}

}  // namespace bench
