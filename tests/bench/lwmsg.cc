// lwmsg: each of its clients, over each of its connection modes.

#include <string.h>

#include "lwmsg_service.h"

namespace bench {

namespace {

// Waits for each reply. With several calls under way it waits for the last of a batch.
class BlockingCaller final : public Client {
 public:
  BlockingCaller(Meeting meeting, const std::string& endpoint, const Shape& shape)
      : shape_(shape),
        calls_(shape),
        client_(ConnectLwmsg<lwmsg::BlockingClient>(meeting, endpoint)),
        stub_(*client_) {}

  void Run(Meter& meter) override {
    ForKind(shape_.kind, [this, &meter]<Kind kKind>() {
      while (RunBatch<kKind>(meter)) continue;
    });
  }

 private:
  template <Kind kKind>
  bool RunBatch(Meter& meter) {
    bool more = true;
    size_t under_way = shape_.outstanding;
    const auto answered = [&, this](auto reply, uint64_t number) {
      calls_.CheckReply<kKind>(std::move(reply), number);
      more = meter.Done();
      --under_way;
    };
    for (size_t i = 1; i < shape_.outstanding; ++i) {
      const uint64_t number = next_++;
      calls_.Request<kKind>(stub_, number).Send([&answered, number](auto reply) {
        answered(std::move(reply), number);
      });
    }
    const uint64_t number = next_++;
    answered(calls_.Request<kKind>(stub_, number).Sync(), number);
    Check(under_way == 0, "replies out of order");
    return more;
  }

  Shape shape_;
  LwmsgCalls calls_;
  std::unique_ptr<lwmsg::BlockingClient> client_;
  BenchClient stub_;
  uint64_t next_ = 0;
};

// What clients on a loop share; how a call is made is the subclass's.
class LoopCaller : public Client {
 public:
  LoopCaller(Meeting meeting, const std::string& endpoint, const Shape& shape)
      : shape_(shape), calls_(shape) {
    for (size_t i = 0; i < shape.connections; ++i) {
      clients_.push_back(ConnectLwmsg<lwmsg::Client>(meeting, endpoint, TheLoop()));
      stubs_.emplace_back(*clients_.back());
    }
  }

  void Run(Meter& meter) override {
    meter_ = &meter;
    for (BenchClient& stub : stubs_) {
      for (size_t i = 0; i < shape_.outstanding; ++i) {
        ++under_way_;
        Start(stub, shape_.kind);
      }
    }
    TheLoop().Run();
  }

 protected:
  virtual void Start(BenchClient& stub, Kind kind) = 0;

  // Whether another call shall follow on the same connection.
  template <Kind kKind, typename R>
  bool Answered(lwmsg::Result<R> reply, uint64_t number) {
    calls_.CheckReply<kKind>(std::move(reply), number);
    if (meter_->Done()) return true;
    if (--under_way_ == 0) TheLoop().Stop();
    return false;
  }

  LwmsgCalls& calls() { return calls_; }
  uint64_t next() { return next_++; }

 private:
  // One for all clients that come and go.
  static lwmsg::Loop& TheLoop() {
    static lwmsg::Loop loop;
    return loop;
  }

  Shape shape_;
  LwmsgCalls calls_;
  std::vector<std::unique_ptr<lwmsg::Client>> clients_;
  std::vector<BenchClient> stubs_;
  size_t under_way_ = 0;
  uint64_t next_ = 0;
  Meter* meter_ = nullptr;
};

class CallbackCaller final : public LoopCaller {
 public:
  using LoopCaller::LoopCaller;

 private:
  void Start(BenchClient& stub, Kind kind) override {
    ForKind(kind, [this, &stub]<Kind kKind>() { Call<kKind>(stub); });
  }

  template <Kind kKind>
  void Call(BenchClient& stub) {
    const uint64_t number = next();
    calls().Request<kKind>(stub, number).Send([this, &stub, number](auto reply) {
      if (Answered<kKind>(std::move(reply), number)) Call<kKind>(stub);
    });
  }
};

class CoroutineCaller final : public LoopCaller {
 public:
  using LoopCaller::LoopCaller;

 private:
  void Start(BenchClient& stub, Kind kind) override {
    ForKind(kind, [this, &stub]<Kind kKind>() { CallAgain<kKind>(stub); });
  }

  template <Kind kKind>
  lwmsg::Task CallAgain(BenchClient& stub) {
    bool more = true;
    while (more) {
      const uint64_t number = next();
      auto request = calls().Request<kKind>(stub, number);
      auto reply = co_await request.Send();
      more = Answered<kKind>(std::move(reply), number);
    }
  }
};

// Messages by way of memory that both sides keep mapped.
template <bool kCopies>
class PoolCaller final : public LoopCaller {
 public:
  PoolCaller(Meeting meeting, const std::string& endpoint, const Shape& shape)
      : LoopCaller(meeting, endpoint, shape),
        payload_(shape.bytes, 'x'),
        pool_(Must(lwmsg::SharedMemoryPool::Create(shape.bytes, 2 * shape.outstanding))) {}

 private:
  void Start(BenchClient& stub, Kind /*kind*/) override {
    const uint64_t number = next();
    lwmsg::WritableMemory memory = Must(pool_.Take());
    const std::span bytes(reinterpret_cast<char*>(memory.bytes().data()), memory.bytes().size());
    if (kCopies) memcpy(bytes.data(), payload_.data(), payload_.size());
    Stamp(bytes, number);
    auto request = stub.TakeShared();
    request->setMemory(std::move(memory));
    request.Send([this, &stub, number](auto reply) {
      if (Answered<Kind::kTake>(std::move(reply), number)) Start(stub, Kind::kTake);
    });
  }

  std::string payload_;
  lwmsg::SharedMemoryPool pool_;
};

// Carries large messages only.
template <typename C>
Contender MakePooled(const std::string& name) {
  return {
      .name = name,
      .serve =
          [](const std::string& endpoint, const std::function<void()>& ready) {
            ServeLwmsg(Meeting::kSocketFile, endpoint, 1, ready);
          },
      .connect = [](const std::string& endpoint, const Shape& shape) -> std::unique_ptr<Client> {
        if (shape.kind != Kind::kTake) return nullptr;
        return std::make_unique<C>(Meeting::kSocketFile, endpoint, shape);
      }};
}

template <typename C>
Contender Make(const std::string& name, Meeting meeting) {
  return {.name = name,
          .meeting = meeting,
          .serve =
              [meeting](const std::string& endpoint, const std::function<void()>& ready) {
                ServeLwmsg(meeting, endpoint, 1, ready);
              },
          .connect = [meeting](const std::string& endpoint,
                               const Shape& shape) -> std::unique_ptr<Client> {
            // It has one connection.
            if (std::is_same_v<C, BlockingCaller> && shape.connections > 1) return nullptr;
            return std::make_unique<C>(meeting, endpoint, shape);
          }};
}

// For several client processes: over what has one, a second loop says nothing.
Contender MakeWithTwoLoops() {
  Contender contender = Make<CallbackCaller>("lwmsg-loops2", Meeting::kSocketFile);
  contender.serve = [](const std::string& endpoint, const std::function<void()>& ready) {
    ServeLwmsg(Meeting::kSocketFile, endpoint, 2, ready);
  };
  contender.connect = [connect = contender.connect](const std::string& endpoint,
                                                    const Shape& shape) -> std::unique_ptr<Client> {
    return shape.processes == 1 ? nullptr : connect(endpoint, shape);
  };
  return contender;
}

}  // namespace

std::vector<Contender> Contenders() {
  constexpr bool kStatic = LWMSG_BENCH_STATIC;
  if (kStatic) return {Make<BlockingCaller>("lwmsg-static", Meeting::kSocketFile)};
  std::vector<Contender> contenders;
  for (const auto& [suffix, meeting] :
       {std::pair("", Meeting::kSocketFile), std::pair("-pair", Meeting::kPair),
        std::pair("-direct", Meeting::kOneProcess)}) {
    const std::string ending = suffix;
    contenders.push_back(Make<BlockingCaller>("lwmsg-blocking" + ending, meeting));
    contenders.push_back(Make<CallbackCaller>("lwmsg-callback" + ending, meeting));
    contenders.push_back(Make<CoroutineCaller>("lwmsg-coroutine" + ending, meeting));
  }
  contenders.push_back(MakePooled<PoolCaller<true>>("lwmsg-pool-copy"));
  contenders.push_back(MakePooled<PoolCaller<false>>("lwmsg-pool-in-place"));
  contenders.push_back(MakeWithTwoLoops());
  return contenders;
}

}  // namespace bench
