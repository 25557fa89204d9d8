#include "tests/support/memory_transport.h"

#include "lwmsg/internal/message_state.h"

namespace lwmsg::test {

MemoryTransport::MemoryTransport(Executor& executor) : executor_(executor) {}

MemoryTransport::~MemoryTransport() {
  if (auto* other = other_.get()) {
    executor_.Post([link = other->anchor_.link()] {
      if (auto* self = link.get()) self->Closed(Status());
    });
  }
}

std::pair<std::unique_ptr<MemoryTransport>, std::unique_ptr<MemoryTransport>>
MemoryTransport::MakePair(Executor& executor) {
  auto a = std::make_unique<MemoryTransport>(executor);
  auto b = std::make_unique<MemoryTransport>(executor);
  a->other_ = b->anchor_.link();
  b->other_ = a->anchor_.link();
  return {std::move(a), std::move(b)};
}

void MemoryTransport::Start(Listener& listener) { listener_ = &listener; }

void MemoryTransport::Send(OutgoingMessage message) {
  if (closed_) return;
  if (const auto refusal = std::exchange(refusal_, std::nullopt)) {
    auto shared = std::make_shared<OutgoingMessage>(std::move(message));
    return executor_.Post([link = anchor_.link(), shared, reason = *refusal] {
      MemoryTransport* self = link.get();
      if (self == nullptr || self->closed_ || self->listener_ == nullptr) return;
      self->listener_->OnUnsent(std::move(*shared), reason);
    });
  }
  ++sent_count_;
  auto* other = other_.get();
  if (other != nullptr && !muted_) other->Inject(ToFrame(std::move(message)));
}

void MemoryTransport::Inject(Frame frame) {
  auto shared = std::make_shared<Frame>(std::move(frame));
  executor_.Post([link = anchor_.link(), shared] {
    if (auto* self = link.get()) self->Deliver(std::move(*shared));
  });
}

void MemoryTransport::Deliver(Frame frame) {
  if (!closed_ && listener_ != nullptr) listener_->OnFrame(std::move(frame));
}

void MemoryTransport::Closed(const Status& reason) {
  if (closed_ || listener_ == nullptr) return;
  std::exchange(listener_, nullptr)->OnClosed(reason);
}

void MemoryTransport::Break(const Status& reason) {
  for (auto& link : {anchor_.link(), other_}) {
    executor_.Post([link, reason] {
      if (auto* self = link.get()) self->Closed(reason);
    });
  }
}

void MemoryTransport::Close(UniqueFunction<void()> done) {
  closed_ = true;
  if (auto* other = other_.get()) {
    executor_.Post([link = other->anchor_.link()] {
      if (auto* self = link.get()) self->Closed(Status());
    });
  }
  executor_.Post(std::move(done));
}

}  // namespace lwmsg::test
