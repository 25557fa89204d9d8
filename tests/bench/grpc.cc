// gRPC: its synchronous server and client, and its callback server with a client on a completion
// queue.

#include <grpc.grpc.pb.h>
#include <grpcpp/grpcpp.h>

#include "contender.h"

namespace bench {

namespace {

constexpr int kAnySize = -1;

using grpc_api::Bench;
using grpc_api::Number;
using grpc_api::Payload;

class SyncService final : public Bench::Service {
  grpc::Status Echo(grpc::ServerContext* /*context*/, const Payload* request,
                    Payload* reply) override {
    reply->set_data(request->data());
    return grpc::Status::OK;
  }
  grpc::Status Take(grpc::ServerContext* /*context*/, const Payload* request,
                    Number* reply) override {
    reply->set_value(Digest(request->data()));
    return grpc::Status::OK;
  }
};

class CallbackService final : public Bench::CallbackService {
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const Payload* request,
                                 Payload* reply) override {
    reply->set_data(request->data());
    return Finish(context);
  }
  grpc::ServerUnaryReactor* Take(grpc::CallbackServerContext* context, const Payload* request,
                                 Number* reply) override {
    reply->set_value(Digest(request->data()));
    return Finish(context);
  }
  static grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context) {
    auto* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

template <typename Service>
void Serve(const std::string& endpoint, const std::function<void()>& ready) {
  Service service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + endpoint, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  builder.SetMaxReceiveMessageSize(kAnySize);
  const auto server = builder.BuildAndStart();
  Check(server != nullptr, "BuildAndStart");
  ready();
  server->Wait();
}

std::unique_ptr<Bench::Stub> Connect(const std::string& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kAnySize);
  // Or else channels to one server share a connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return Bench::NewStub(
      grpc::CreateCustomChannel("unix:" + endpoint, grpc::InsecureChannelCredentials(), arguments));
}

void CheckReply(const grpc::Status& status, const Payload& reply, size_t bytes, uint64_t number) {
  Check(status.ok(), status.error_message());
  CheckEcho(reply.data(), bytes, number);
}

void CheckReply(const grpc::Status& status, const Number& reply, size_t bytes, uint64_t number) {
  Check(status.ok(), status.error_message());
  Check(reply.value() == ExpectedDigest(bytes, number), "a wrong digest");
}

class SyncCaller final : public Client {
 public:
  SyncCaller(const std::string& endpoint, const Shape& shape)
      : shape_(shape), payload_(shape.bytes, 'x'), stub_(Connect(endpoint)) {}

  void Run(Meter& meter) override {
    do {
      const uint64_t number = next_++;
      Stamp(payload_, number);
      Payload request;
      request.set_data(payload_);
      grpc::ClientContext context;
      Payload reply;
      const grpc::Status status = stub_->Echo(&context, request, &reply);
      CheckReply(status, reply, shape_.bytes, number);
    } while (meter.Done());
  }

 private:
  Shape shape_;
  std::string payload_;
  std::unique_ptr<Bench::Stub> stub_;
  uint64_t next_ = 0;
};

struct Call {
  virtual ~Call() = default;
  virtual void CheckIt(size_t bytes) const = 0;

  Bench::Stub* stub = nullptr;
  uint64_t number = 0;
  grpc::ClientContext context;
  grpc::Status status;
};

template <typename Reply>
struct CallFor final : Call {
  void CheckIt(size_t bytes) const override { CheckReply(status, reply, bytes, number); }

  Reply reply;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Reply>> reader;
};

class QueueCaller final : public Client {
 public:
  QueueCaller(const std::string& endpoint, const Shape& shape)
      : shape_(shape), payload_(shape.bytes, 'x') {
    for (size_t i = 0; i < shape.connections; ++i) stubs_.push_back(Connect(endpoint));
  }

  void Run(Meter& meter) override {
    size_t under_way = 0;
    for (const auto& stub : stubs_)
      for (size_t i = 0; i < shape_.outstanding; ++i, ++under_way) Start(stub.get());
    while (under_way > 0) {
      void* tag = nullptr;
      bool good = false;
      Check(queue_.Next(&tag, &good) && good, "the completion queue ended");
      const std::unique_ptr<Call> call(static_cast<Call*>(tag));
      call->CheckIt(shape_.bytes);
      if (meter.Done())
        Start(call->stub);
      else
        --under_way;
    }
  }

 private:
  void Start(Bench::Stub* stub) {
    const uint64_t number = next_++;
    Stamp(payload_, number);
    Payload request;
    request.set_data(payload_);
    if (shape_.kind == Kind::kEcho)
      Start(stub, number, new CallFor<Payload>, request, &Bench::Stub::AsyncEcho);
    else
      Start(stub, number, new CallFor<Number>, request, &Bench::Stub::AsyncTake);
  }

  template <typename Reply, typename Method>
  void Start(Bench::Stub* stub, uint64_t number, CallFor<Reply>* call, const Payload& request,
             Method method) {
    call->stub = stub;
    call->number = number;
    call->reader = (stub->*method)(&call->context, request, &queue_);
    call->reader->Finish(&call->reply, &call->status, static_cast<Call*>(call));
  }

  Shape shape_;
  std::string payload_;
  std::vector<std::unique_ptr<Bench::Stub>> stubs_;
  grpc::CompletionQueue queue_;
  uint64_t next_ = 0;
};

std::unique_ptr<Client> ConnectSync(const std::string& endpoint, const Shape& shape) {
  if (shape.kind != Kind::kEcho || shape.connections * shape.outstanding > 1) return nullptr;
  return std::make_unique<SyncCaller>(endpoint, shape);
}

std::unique_ptr<Client> ConnectQueue(const std::string& endpoint, const Shape& shape) {
  if (shape.kind == Kind::kPass || shape.kind == Kind::kShare) return nullptr;
  return std::make_unique<QueueCaller>(endpoint, shape);
}

}  // namespace

std::vector<Contender> Contenders() {
  return {{.name = "grpc-sync", .serve = Serve<SyncService>, .connect = ConnectSync},
          {.name = "grpc-async", .serve = Serve<CallbackService>, .connect = ConnectQueue}};
}

}  // namespace bench
