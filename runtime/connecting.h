#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lwmsg/client.h"
#include "runtime/io_loop.h"

namespace lwmsg::internal {

// What Client and BlockingClient share: where calls go, whichever connection carries them. Makes
// the association when it is first needed and, by policy, another one when that has ended.
class Connector final : private CallTarget {
 public:
  using RunOnce = UniqueFunction<void(bool may_wait)>;

  // `run_once` is empty on a loop.
  Connector(IoLoop& loop, std::string_view endpoints, ClientOptions options, RunOnce run_once);
  Connector(IoLoop& loop, OsHandle socket, ClientOptions options, RunOnce run_once);
  // On a loop; `make_transport` makes that of each connection.
  using TransportMaker = UniqueFunction<std::unique_ptr<Transport>()>;
  Connector(IoLoop& loop, TransportMaker make_transport, ClientOptions options);
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;
  ~Connector();

  ServiceTable& services() { return services_; }
  Channel channel() { return Channel(LoopRef<CallTarget>(loop_, anchor_.link())); }
  void Connect() { Current().Start(); }
  void Close();
  AssociationState State() const { return association_->Describe(); }
  const Token& peer() const { return association_->peer(); }

 private:
  // Its connection, or, if the policy says so, a new one.
  Association& Current();
  std::unique_ptr<Association> MakeAssociation();
  std::unique_ptr<Transport> MakeTransport();
  Result<std::unique_ptr<Transport>> TryEndpoints();
  void OnEnd(const Association* association, const Status& reason);
  void OnSession(uint64_t id);

  PendingCall Start(OutgoingCall call, ReplyCallback done) override;
  Status Post(OutgoingCall call) override;
  const std::shared_ptr<Session>& session() override { return Current().session(); }
  bool can_wait() const override { return static_cast<bool>(run_once_); }
  void WaitOnce() override { run_once_(true); }

  Anchor<CallTarget> anchor_{this};
  IoLoop& loop_;
  const std::string endpoints_;
  OsHandle socket_;                // Until it is used.
  TransportMaker make_transport_;  // Empty: one of the two above says where to.
  ClientOptions options_;
  const std::shared_ptr<const Association::Environment> environment_;
  std::shared_ptr<UniqueFunction<void(const Status&)>> on_end_;
  std::shared_ptr<UniqueFunction<void()>> on_session_lost_;
  RunOnce run_once_;
  ServiceTable services_;
  uint64_t session_id_ = 0;           // Of the last connection.
  std::optional<uint32_t> listener_;  // Of the last connection, if it was made at once.
  // The users of the first server: who listened, and who said hello.
  struct Users {
    std::optional<uint32_t> listener;
    std::optional<uint32_t> writer;
  };
  Users first_;
  std::vector<std::unique_ptr<Association>> retired_;  // Ended, but not told of yet.
  std::unique_ptr<Association> association_;
  bool told_ = false;  // Of its end.
};

}  // namespace lwmsg::internal
