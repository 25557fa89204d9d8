#include "raw_blocking.h"

#include "sockets.h"

namespace bench {

namespace {

constexpr size_t kMostOutstanding = 4;

class BlockingCaller final : public Client {
 public:
  BlockingCaller(int socket, const Shape& shape)
      : socket_(socket), calls_(shape), outstanding_(shape.outstanding) {}

  void Run(Meter& meter) override {
    for (size_t i = 0; i < outstanding_; ++i) socket_.Send(calls_.Next());
    size_t under_way = outstanding_;
    RawFrame reply;
    while (under_way > 0) {
      Check(socket_.Receive(reply), "the server hung up");
      calls_.CheckReply(reply, received_++);
      if (meter.Done())
        socket_.Send(calls_.Next());
      else
        --under_way;
    }
  }

 private:
  BlockingSocket socket_;
  RawCalls calls_;
  size_t outstanding_;
  uint64_t received_ = 0;
};

}  // namespace

std::unique_ptr<Client> ConnectBlocking(const std::string& endpoint, const Shape& shape) {
  if (shape.connections > 1 || shape.outstanding > kMostOutstanding) return nullptr;
  return std::make_unique<BlockingCaller>(ConnectTo(endpoint, 0), shape);
}

}  // namespace bench
