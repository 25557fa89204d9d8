#include "runtime/direct.h"

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "lwmsg/internal/loop_ref.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/limit_hits.h"
#include "runtime/platform.h"

namespace lwmsg::internal {
namespace {

Status Malformed(std::string what) { return Status(StatusCode::kMalformed, std::move(what)); }

// One end. Made on any thread, then used on its loop.
class DirectTransport final : public Transport {
 public:
  using Counter = std::shared_ptr<std::atomic<size_t>>;

  DirectTransport(IoLoop& loop, const Limits& limits, Token peer)
      : loop_(loop), limits_(limits), peer_(std::move(peer)) {}
  ~DirectTransport() override { HangUp(); }

  // Joins both ends, before either is used.
  static void Join(DirectTransport& a, DirectTransport& b) {
    a.other_ = b.ref();
    b.other_ = a.ref();
    a.incoming_bytes_ = b.outgoing_bytes_;
    b.incoming_bytes_ = a.outgoing_bytes_;
  }

  void Start(Listener& listener) override {
    listener_ = &listener;
    open_ = true;
    loop_.Hold();
  }

  void Send(OutgoingMessage message) override {
    if (!open_) return;
    Frame frame = ToFrame(std::move(message));
    *outgoing_bytes_ += frame.words.asBytes().size();
    other_.Post([other = other_.link(), frame = std::move(frame)]() mutable {
      DirectTransport* const end = other.get();
      if (end == nullptr || IfMemory([&] { end->Deliver(std::move(frame)); })) return;
      if (other.get() != nullptr && end->open_) end->listener_->OnClosed(OutOfMemory());
    });
  }

  void Close(UniqueFunction<void()> done) override {
    HangUp();
    loop_.Post(std::move(done));
  }

  Queued queued() const override { return {.bytes = *outgoing_bytes_}; }
  const Token& peer() const override { return peer_; }

 private:
  LoopRef<DirectTransport> ref() const { return {loop_, anchor_.link()}; }

  // What a transport over a socket refuses before it takes memory.
  Status Check(const Frame& frame) const {
    const size_t bytes = frame.words.asBytes().size();
    if (bytes > limits_.max_frame_bytes) {
      return Malformed("frame of " + std::to_string(bytes) + " bytes; the limit is " +
                       std::to_string(limits_.max_frame_bytes) + ", " +
                       HitLimit(Limit::kMaxFrameBytes));
    }
    if (frame.handles.size() > limits_.max_frame_handles) {
      return Malformed("frame with " + std::to_string(frame.handles.size()) +
                       " OS handles; the limit is " + std::to_string(limits_.max_frame_handles) +
                       ", " + HitLimit(Limit::kMaxFrameHandles));
    }
    return Status();
  }

  void Deliver(Frame frame) {
    *incoming_bytes_ -= frame.words.asBytes().size();
    if (!open_) return;
    if (Status right = Check(frame); !right.ok()) return listener_->OnClosed(std::move(right));
    for (const OsHandle& handle : frame.handles) KeepFromChildren(handle);
    listener_->OnFrame(std::move(frame));
  }

  void OtherHungUp() {
    if (open_) listener_->OnClosed(Status());
  }

  void HangUp() {
    if (std::exchange(hung_up_, true)) return;
    if (std::exchange(open_, false)) loop_.Unhold();
    // What was sent before is delivered before.
    other_.Post(SureTask([other = other_.link()] {
      if (DirectTransport* end = other.get()) end->OtherHungUp();
    }));
  }

  Anchor<DirectTransport> anchor_{this};
  IoLoop& loop_;  // Gone, perhaps, if this was never started.
  const Limits limits_;
  Token peer_;
  LoopRef<DirectTransport> other_;
  Counter outgoing_bytes_ = std::make_shared<std::atomic<size_t>>(0);
  Counter incoming_bytes_;
  Transport::Listener* listener_ = nullptr;
  bool open_ = false;
  bool hung_up_ = false;
};

class DirectListener;

// The names of this process.
struct Registry {
  std::mutex mutex;
  std::map<std::string, DirectListener*> listeners;  // Guarded by mutex.
};

Registry& TheRegistry() {
  static auto* registry = new Registry;  // Never destroyed: other threads may use it at exit.
  return *registry;
}

class DirectListener final : public Listener {
 public:
  DirectListener(IoLoop& loop, std::string name, const Limits& limits,
                 DirectAcceptCallback accepted)
      : loop_(loop), name_(std::move(name)), limits_(limits), accepted_(std::move(accepted)) {}
  DirectListener(const DirectListener&) = delete;
  DirectListener& operator=(const DirectListener&) = delete;
  ~DirectListener() override {
    if (!registered_) return;
    loop_.Unhold();
    const std::lock_guard lock(TheRegistry().mutex);
    TheRegistry().listeners.erase(name_);
  }

  bool Register() {
    const std::lock_guard lock(TheRegistry().mutex);
    registered_ = TheRegistry().listeners.emplace(name_, this).second;
    if (registered_) loop_.Hold();
    return registered_;
  }

  // There is no backlog here: whoever comes to a full server is told.
  void Hold() override {}
  void Resume() override {}
  const std::string& name() const override { return text_; }

  // On the connector's thread, under the registry's lock, so that this and its loop are there.
  std::unique_ptr<Transport> Connect(IoLoop& loop, const Limits& limits) {
    const Token self = OwnToken();
    auto caller = std::make_unique<DirectTransport>(loop, limits, self);
    auto callee = std::make_unique<DirectTransport>(loop_, limits_, self);
    DirectTransport::Join(*caller, *callee);
    LoopRef<DirectListener> here(loop_, anchor_.link());
    here.Post([link = here.link(), end = std::move(callee)]() mutable {
      if (DirectListener* listener = link.get()) listener->accepted_(std::move(end));
    });
    return caller;
  }

 private:
  Anchor<DirectListener> anchor_{this};
  IoLoop& loop_;
  const std::string name_;
  const std::string text_ = "direct:" + name_;
  const Limits limits_;
  DirectAcceptCallback accepted_;
  bool registered_ = false;
};

}  // namespace

Result<std::unique_ptr<Listener>> ListenDirect(IoLoop& loop, const std::string& name,
                                               const Limits& limits,
                                               DirectAcceptCallback accepted) {
  auto listener = std::make_unique<DirectListener>(loop, name, limits, std::move(accepted));
  if (!listener->Register()) {
    return Error(StatusCode::kAlreadyExists,
                 "another server of this process listens at direct:" + name);
  }
  return listener;
}

Result<std::unique_ptr<Transport>> ConnectDirect(IoLoop& loop, const std::string& name,
                                                 const Limits& limits) {
  const std::lock_guard lock(TheRegistry().mutex);
  auto found = TheRegistry().listeners.find(name);
  if (found == TheRegistry().listeners.end()) {
    return Error(StatusCode::kUnavailable, "no server of this process listens at direct:" + name);
  }
  return found->second->Connect(loop, limits);
}

}  // namespace lwmsg::internal
