// The transport over a real socket: a peer that writes frames and descriptors in any pieces, reads
// or does not, and hangs up at any time.
#include "runtime/stream_transport.h"

#include <sys/socket.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include "lwmsg/internal/message_state.h"
#include "lwmsg/pair.h"
#include "runtime/uv_loop.h"
#include "tests/fuzz/target.h"
#include "tests/support/posix/rights.h"

namespace lwmsg::test {
namespace {

// One for all runs: to make one takes longer than a run.
internal::UvLoop& SharedLoop() {
  static auto* loop = new internal::UvLoop(nullptr);
  return *loop;
}

// What an association would be: counts, and keeps some of what comes.
class Receiver final : public Transport::Listener {
 public:
  void OnFrame(Frame frame) override {
    Require(!closed, "no frame comes after the end");
    ++frames;
    if (keeps && kept.size() < 4) kept.push_back(std::move(frame));
  }
  void OnClosed(Status /*reason*/) override {
    Require(!closed, "an end comes once");
    closed = true;
  }
  void OnUnsent(OutgoingMessage message, const Status& reason) override {
    Require(!reason.ok() && message.handles().size() != 0, "what cannot be sent has handles");
  }

  int frames = 0;
  bool closed = false;
  bool keeps = false;
  std::vector<Frame> kept;
};

class Script {
 public:
  explicit Script(Input& input) : input_(input) {
    auto pair = MakePair();
    Require(pair.has_value(), "there is a pair of sockets");
    peer_ = std::move(pair->second);
    Limits limits;
    limits.max_frame_bytes = 4096;
    limits.max_frame_handles = 4;
    auto transport = internal::AdoptTransport(SharedLoop(), std::move(pair->first), limits);
    Require(transport.has_value(), "a socket can be adopted");
    transport_ = std::move(*transport);
    receiver_.keeps = input.Bool();
    if (input.Bool()) SetSmallBuffer();
    transport_->Start(receiver_);
  }

  void Run() {
    for (int step = 0; step < 60 && !input_.empty(); ++step) {
      Step();
      if (!input_.OneIn(4)) Turn();
    }
    Turn();
    transport_.reset();
    receiver_.kept.clear();
    peer_.Close();
    // What was closed is gone when libuv has seen it.
    Turn();
    Turn();
  }

 private:
  static void Turn() { uv_run(SharedLoop().uv(), UV_RUN_NOWAIT); }

  void SetSmallBuffer() {
    const int bytes = 1;
    setsockopt(peer_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  }

  void Step() {
    const size_t choice = input_.Below(16);
    if (choice < 6) return WriteFrames();
    if (choice < 9) return ReadSome();
    if (choice < 12) return Send();
    if (choice == 12 && transport_) transport_->TakeHandles(input_.Bool());
    if (choice == 13 && input_.OneIn(4)) peer_.Close();
    if (choice == 14 && input_.OneIn(4)) shutdown(peer_.get(), input_.Bool() ? SHUT_WR : SHUT_RD);
    if (choice == 15 && input_.OneIn(4)) EndTransport();
  }

  void EndTransport() {
    if (!transport_ || input_.Bool()) return transport_.reset();
    if (std::exchange(closed_, true)) return;
    transport_->Close([] {});
  }

  // Whole frames, broken ones, and pieces, with descriptors that may not belong to them.
  void WriteFrames() {
    std::string bytes;
    size_t counted = 0;
    const size_t count = 1 + input_.Below(4);
    for (size_t i = 0; i < count; ++i) {
      const size_t words = input_.Below(16);
      counted = input_.OneIn(4) ? input_.Below(4) : 0;
      const auto body = input_.Bytes(8 * words);
      std::string frame("LWM\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
      frame[4] = static_cast<char>(words);
      frame[8] = static_cast<char>(counted);
      frame.append(body.begin(), body.end());
      frame.resize(16 + 8 * words);
      if (input_.OneIn(32)) frame[input_.Below(16)] = static_cast<char>(0x55);
      bytes += frame;
    }
    if (input_.OneIn(4)) bytes.resize(input_.Byte() % bytes.size());
    std::vector<OsHandle> handles;
    const size_t given = input_.OneIn(8) ? input_.Below(6) : counted;
    for (size_t i = 0; i < given; ++i) handles.push_back(fuzz::OpenHandle(input_));
    Write(bytes, handles);
  }

  void Write(const std::string& bytes, const std::vector<OsHandle>& handles) {
    if (bytes.empty() || !peer_.valid()) return;
    const ssize_t written =
        SendRights(peer_, bytes, {NumbersOf(handles)}, MSG_NOSIGNAL | MSG_DONTWAIT);
    Require(written >= 0 || errno != EINVAL, "the kernel understands the peer");
  }

  void ReadSome() {
    if (!peer_.valid()) return;
    std::array<char, 512> bytes;
    std::vector<OsHandle> handles;
    ReceiveRights(peer_, std::span(bytes).first(1 + size_t{input_.Byte()}), handles, MSG_DONTWAIT);
  }

  void Send() {
    if (!transport_ || closed_) return;
    auto message = OutgoingMessage::ForCall(1, 2);
    const std::string text(16 * size_t{input_.Byte()}, 'x');
    message.payload().setAs<capnp::Text>(text.c_str());
    const size_t handles = input_.OneIn(4) ? input_.Below(4) : 0;
    capnp::MallocMessageBuilder slots;
    for (size_t i = 0; i < handles; ++i) {
      auto slot = slots.getOrphanage().newOrphan<schema::OsHandle>();
      message.handles().Put(slot.get(), fuzz::OpenHandle(input_));
    }
    transport_->Send(std::move(message));
  }

  Input& input_;
  OsHandle peer_;
  Receiver receiver_;
  bool closed_ = false;
  std::unique_ptr<Transport> transport_;
};

}  // namespace
}  // namespace lwmsg::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lwmsg::test::SharedLoop();
  const lwmsg::test::SameHandles same;
  lwmsg::test::Input input({data, size});
  lwmsg::test::Script(input).Run();
  return 0;
}
