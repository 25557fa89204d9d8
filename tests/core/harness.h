#pragma once

#include <functional>
#include <optional>
#include <string>

#include "lwmsg/association.h"
#include "tests/support/inventory.h"
#include "tests/support/manual_executor.h"
#include "tests/support/memory_transport.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {

// Two associations, client and server, over memory and in virtual time.
class AssociationTest : public InventoriedTest {
 protected:
  // One side. Made by Open.
  struct Side {
    ServiceTable services;
    MemoryTransport* transport = nullptr;
    std::optional<Status> end;
    std::unique_ptr<Association> association;
  };

  // The server serves `sample`, the client `listener`.
  void Open(const Limits& client = {}, const Limits& server = {});
  sample::SampleClient Client() { return sample::SampleClient(client_.association->channel()); }

  // What tests add to the configurations.
  using Adjust = std::function<void(Association::Environment&, Association::Connecting&)>;
  Adjust connector_config;
  std::function<void(Association::Environment&)> acceptor_config;

  // Sends the request and runs until nothing is left to do. Empty if there is no answer yet.
  template <typename Request>
  auto CallNow(Request request) {
    std::optional<decltype(request.Sync())> result;
    request.Send([&result](auto reply) { result = std::move(reply); });
    executor_.Run();
    return result;
  }
  // The status of an echo: OK if client and server can talk.
  Status Echo();
  // As if the client had sent a call of this shape.
  Frame CallFrame(uint32_t id, uint64_t interface_id, uint16_t method);

  ManualExecutor executor_;
  SampleService sample_;
  ListenerService listener_;
  Side client_;
  Side server_;

 private:
  void OpenSide(Side& side, std::unique_ptr<MemoryTransport> transport, Association::Config config);
};

// What happened to a call that Send was told to report here.
template <typename Reply>
class Outcome {
 public:
  auto Callback() {
    return [this](Reply reply) {
      ++count_;
      reply_ = std::move(reply);
    };
  }
  int count() const { return count_; }
  Reply& reply() { return *reply_; }
  StatusCode code() const {
    if (!reply_) return StatusCode::kFailedPrecondition;
    return reply_->has_value() ? StatusCode::kOk : reply_->error().code();
  }
  std::string message() const { return reply_->error().message(); }

 private:
  int count_ = 0;
  std::optional<Reply> reply_;
};

template <typename Request>
using OutcomeOf = Outcome<decltype(std::declval<Request&>().Sync())>;

}  // namespace lwmsg::test
