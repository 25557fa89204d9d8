#include "runtime/connecting.h"

#include <utility>

#include "lwmsg/internal/link.h"
#include "runtime/platform.h"

namespace lwmsg::internal {
namespace {

// Stands for a connection that could not even be tried: ends with the reason once it is started.
class UnusableTransport final : public Transport {
 public:
  UnusableTransport(Executor& executor, Status reason)
      : executor_(executor), reason_(std::move(reason)) {}

  void Start(Listener& listener) override {
    executor_.Post([link = anchor_.link(), &listener] {
      if (auto* self = link.get()) listener.OnClosed(self->reason_);
    });
  }
  void Send(OutgoingMessage /*message*/) override {}
  void Close(UniqueFunction<void()> done) override { executor_.Post(std::move(done)); }
  size_t queued_bytes() const override { return 0; }
  const Token& peer() const override { return peer_; }

 private:
  Anchor<UnusableTransport> anchor_{this};
  Executor& executor_;
  Status reason_;
  Token peer_;
};

std::unique_ptr<Association> Make(IoLoop& loop, Result<std::unique_ptr<Transport>> transport,
                                  const ServiceTable& services, ClientOptions options,
                                  UniqueFunction<void(bool may_wait)> run_once) {
  if (!transport) {
    transport = std::make_unique<UnusableTransport>(loop, std::move(transport).error());
  }
  Association::Config config;
  config.role = Association::Role::kConnector;
  config.limits = options.limits;
  config.peer_euid = options.server_euid;
  config.on_end = std::move(options.on_end);
  config.run_once = std::move(run_once);
  return std::make_unique<Association>(loop, std::move(*transport), services, std::move(config));
}

}  // namespace

std::unique_ptr<Association> MakeConnecting(IoLoop& loop, std::string_view endpoint,
                                            const ServiceTable& services, ClientOptions options,
                                            UniqueFunction<void(bool may_wait)> run_once) {
  auto parsed = Endpoint::Parse(endpoint);
  auto transport = parsed ? Result<std::unique_ptr<Transport>>(ConnectTransport(
                                loop, *parsed, options.server_euid, options.limits))
                          : Error(std::move(parsed).error());
  return Make(loop, std::move(transport), services, std::move(options), std::move(run_once));
}

std::unique_ptr<Association> MakeConnecting(IoLoop& loop, OsHandle socket,
                                            const ServiceTable& services, ClientOptions options,
                                            UniqueFunction<void(bool may_wait)> run_once) {
  auto transport = AdoptTransport(loop, std::move(socket), options.limits);
  return Make(loop, std::move(transport), services, std::move(options), std::move(run_once));
}

}  // namespace lwmsg::internal
