#pragma once

#include <memory>
#include <utility>

#include "lwmsg/executor.h"
#include "lwmsg/fuzz/scripted_peer.h"
#include "lwmsg/internal/link.h"
#include "lwmsg/transport.h"

namespace lwmsg::fuzz {

// The association's end of the connection to a ScriptedPeer.
class ScriptedPeer::End final : public Transport {
 public:
  // `place` is where the peer has this; it becomes null when nothing can be delivered any more.
  End(Executor& executor, End*& place, Token token, UniqueFunction<void(Frame)> take)
      : executor_(executor), place_(place), take_(std::move(take)), peer_(std::move(token)) {}
  End(const End&) = delete;
  End& operator=(const End&) = delete;
  ~End() override { place_ = nullptr; }

  void Start(Listener& listener) override { listener_ = &listener; }
  void Send(OutgoingMessage message) override;
  void Close(UniqueFunction<void()> done) override;
  Queued queued() const override { return queued_; }
  const Token& peer() const override { return peer_; }

  // What the peer does to it. Each may destroy it.
  void Deliver(Frame frame);
  void HangUp(const Status& reason);
  void set_queued(const Queued& queued) { queued_ = queued; }
  // The next message that has OS handles cannot be sent.
  void RefuseNext() { refuses_ = true; }

 private:
  internal::Anchor<End> anchor_{this};
  Executor& executor_;
  End*& place_;
  UniqueFunction<void(Frame)> take_;
  Listener* listener_ = nullptr;
  Token peer_;
  bool closed_ = false;
  bool refuses_ = false;
  Queued queued_;
};

}  // namespace lwmsg::fuzz
