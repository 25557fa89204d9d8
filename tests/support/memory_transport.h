#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "lwmsg/executor.h"
#include "lwmsg/internal/link.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/transport.h"

namespace lwmsg::test {

// One end of a connection inside the process: each message arrives at the other end in a task of
// its own.
class MemoryTransport final : public Transport {
 public:
  // Both ends, joined. `executor` outlives them.
  static std::pair<std::unique_ptr<MemoryTransport>, std::unique_ptr<MemoryTransport>> MakePair(
      Executor& executor);

  explicit MemoryTransport(Executor& executor);
  ~MemoryTransport() override;

  void Start(Listener& listener) override;
  void Send(OutgoingMessage message) override;
  void Close(UniqueFunction<void()> done) override;
  Queued queued() const override { return queued_; }
  const Token& peer() const override { return peer_; }

  // What tests do to it.
  void set_peer(Token peer) { peer_ = std::move(peer); }
  // Pretends that this waits for a peer that does not read.
  void set_queued(const Queued& queued) { queued_ = queued; }
  // As if these bytes had come from the other end.
  void Inject(Frame frame);
  // Drops what is sent from here on.
  void Mute() { muted_ = true; }
  // The next message cannot go to this peer.
  void RefuseNext(Status reason) { refusal_ = std::move(reason); }
  // Breaks the connection: both ends see `reason`.
  void Break(const Status& reason);
  size_t sent_count() const { return sent_count_; }

 private:
  void Deliver(Frame frame);
  void Closed(const Status& reason);

  internal::Anchor<MemoryTransport> anchor_{this};
  Executor& executor_;
  internal::Link<MemoryTransport> other_;
  Listener* listener_ = nullptr;
  bool closed_ = false;
  bool muted_ = false;
  std::optional<Status> refusal_;
  Token peer_;
  Queued queued_;
  size_t sent_count_ = 0;
};

using internal::ToFrame;

}  // namespace lwmsg::test
