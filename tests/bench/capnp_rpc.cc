// Cap'n Proto's own RPC: kj's event loop on both sides.

#include <capnp/rpc-twoparty.h>
#include <capnp_rpc.capnp.h>
#include <fcntl.h>
#include <kj/async-io.h>
#include <kj/debug.h>
#include <unistd.h>

#include "contender.h"

namespace bench {

namespace {

constexpr uint kMostFiles = 4;
// Larger messages than a reader takes by default.
constexpr uint64_t kWordsAroundPayload = 64;

std::span<const char> Span(capnp::Data::Reader data) {
  return {data.asChars().begin(), data.size()};
}

capnp::MessageSize Hint(size_t bytes) {
  return {bytes / sizeof(capnp::word) + kWordsAroundPayload, 0};
}

class OpenFile final : public rpc::File::Server {
 public:
  explicit OpenFile(int file) : file_(file) {}
  ~OpenFile() noexcept { close(file_); }
  kj::Maybe<int> getFd() override { return file_; }

 private:
  int file_;
};

int Must(kj::Maybe<int> file) {
  KJ_IF_MAYBE (number, file) return *number;
  Die("a capability without a descriptor");
}

class Service final : public rpc::Bench::Server {
  kj::Promise<void> echo(EchoContext context) override {
    const auto data = context.getParams().getData();
    context.getResults(Hint(data.size())).setData(data);
    return kj::READY_NOW;
  }
  kj::Promise<void> take(TakeContext context) override {
    context.getResults(Hint(0)).setDigest(Digest(Span(context.getParams().getData())));
    return kj::READY_NOW;
  }
  kj::Promise<void> pass(PassContext context) override {
    auto file = context.getParams().getFile();
    auto number = file.getFd();
    return number.then([context, file = kj::mv(file)](kj::Maybe<int> got) mutable {
      const int again = fcntl(Must(got), F_DUPFD_CLOEXEC, 0);
      context.getResults(Hint(0)).setFile(kj::heap<OpenFile>(again));
    });
  }
  kj::Promise<void> share(ShareContext context) override {
    auto file = context.getParams().getFile();
    auto number = file.getFd();
    return number.then([context, file = kj::mv(file)](kj::Maybe<int> got) mutable {
      const uint64_t digest = SharedDigest(Must(got), context.getParams().getBytes());
      context.getResults(Hint(0)).setDigest(digest);
    });
  }
};

void Serve(const std::string& endpoint, const std::function<void()>& ready) {
  auto io = kj::setupAsyncIo();
  capnp::TwoPartyServer server(kj::heap<Service>());
  auto address = io.provider->getNetwork().parseAddress("unix:" + endpoint).wait(io.waitScope);
  auto listener = address->listen();
  ready();
  server.listenCapStreamReceiver(*listener, kMostFiles).wait(io.waitScope);
}

kj::AsyncIoContext& Io() {
  static kj::AsyncIoContext io = kj::setupAsyncIo();
  return io;
}

struct Connection {
  explicit Connection(const std::string& endpoint)
      : stream(Io().provider->getNetwork()
                   .parseAddress("unix:" + endpoint)
                   .then([](kj::Own<kj::NetworkAddress> address) {
                     auto connected = address->connect();
                     return connected.attach(kj::mv(address));
                   })
                   .wait(Io().waitScope)
                   .downcast<kj::AsyncCapabilityStream>()),
        client(*stream, kMostFiles),
        bench(client.bootstrap().castAs<rpc::Bench>()) {}

  kj::Own<kj::AsyncCapabilityStream> stream;
  capnp::TwoPartyClient client;
  rpc::Bench::Client bench;
};

class Caller final : public Client, kj::TaskSet::ErrorHandler {
 public:
  Caller(const std::string& endpoint, const Shape& shape)
      : shape_(shape), payload_(shape.bytes, 'x') {
    for (size_t i = 0; i < shape.connections; ++i)
      connections_.push_back(std::make_unique<Connection>(endpoint));
    if (shape.kind == Kind::kShare) shared_digest_ = ExpectedSharedDigest(shape.bytes);
    if (shape.kind == Kind::kPass || shape.kind == Kind::kShare)
      file_ = rpc::File::Client(kj::heap<OpenFile>(MakeShared(shape.bytes)));
  }

  ~Caller() noexcept override = default;

  void Run(Meter& meter) override {
    kj::TaskSet tasks(*this);
    auto end = kj::newPromiseAndFulfiller<void>();
    meter_ = &meter;
    tasks_ = &tasks;
    end_ = kj::mv(end.fulfiller);
    for (auto& connection : connections_)
      for (size_t i = 0; i < shape_.outstanding; ++i, ++under_way_) Start(connection->bench);
    end.promise.wait(Io().waitScope);
  }

 private:
  void Start(rpc::Bench::Client& bench) {
    const uint64_t number = next_++;
    tasks_->add(Call(bench, number).then([this, &bench] {
      if (meter_->Done())
        Start(bench);
      else if (--under_way_ == 0)
        end_->fulfill();
    }));
  }

  kj::Promise<void> Call(rpc::Bench::Client& bench, uint64_t number) {
    switch (shape_.kind) {
      case Kind::kEcho: {
        auto request = bench.echoRequest(Hint(shape_.bytes));
        request.setData(Payload(number));
        return request.send().then(
            [this, number](auto reply) { CheckEcho(Span(reply.getData()), shape_.bytes, number); });
      }
      case Kind::kTake: {
        auto request = bench.takeRequest(Hint(shape_.bytes));
        request.setData(Payload(number));
        return request.send().then([this, number](auto reply) {
          Check(reply.getDigest() == ExpectedDigest(shape_.bytes, number), "a wrong digest");
        });
      }
      case Kind::kPass:
        return Pass(bench);
      case Kind::kShare: {
        auto request = bench.shareRequest(Hint(0));
        request.setFile(KJ_ASSERT_NONNULL(file_));
        request.setBytes(shape_.bytes);
        return request.send().then(
            [this](auto reply) { Check(reply.getDigest() == shared_digest_, "a wrong digest"); });
      }
    }
    Die("a call of no kind");
  }

  kj::Promise<void> Pass(rpc::Bench::Client& bench) {
    auto request = bench.passRequest(Hint(0));
    request.setFile(KJ_ASSERT_NONNULL(file_));
    return request.send().then([](auto reply) {
      auto file = reply.getFile();
      auto number = file.getFd();
      return number.then([file = kj::mv(file)](kj::Maybe<int> got) { CheckFile(Must(got)); });
    });
  }

  capnp::Data::Reader Payload(uint64_t number) {
    Stamp(payload_, number);
    return {reinterpret_cast<const kj::byte*>(payload_.data()), payload_.size()};
  }

  void taskFailed(kj::Exception&& exception) override { Die(kj::str(exception).cStr()); }

  Shape shape_;
  std::string payload_;
  std::vector<std::unique_ptr<Connection>> connections_;
  kj::Maybe<rpc::File::Client> file_;
  uint64_t shared_digest_ = 0;
  size_t under_way_ = 0;
  uint64_t next_ = 0;
  Meter* meter_ = nullptr;
  kj::TaskSet* tasks_ = nullptr;
  kj::Own<kj::PromiseFulfiller<void>> end_;
};

}  // namespace

std::vector<Contender> Contenders() {
  return {
      {.name = "capnp-rpc",
       .serve = Serve,
       .connect = [](const std::string& endpoint, const Shape& shape) -> std::unique_ptr<Client> {
         return std::make_unique<Caller>(endpoint, shape);
       }}};
}

}  // namespace bench
