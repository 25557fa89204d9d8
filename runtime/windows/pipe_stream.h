#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lwmsg/endpoint.h"
#include "lwmsg/os_handle.h"
#include "runtime/frame_stream.h"
#include "runtime/handle_transfer.h"
#include "runtime/windows/overlapped.h"
#include "runtime/windows/peer_token.h"
#include "runtime/windows/pipe_name.h"

namespace lwmsg::internal {

// Over a named pipe in byte mode. What is written must wait for the system at times, so a write is
// under way until its event is set; a read of no bytes tells that there is something to read.
class PipeStream final : public FrameStream {
 public:
  // Over a connected pipe. `accepted`: its other end is a client's. `name`, if any, is kept for as
  // long as the pipe is open.
  PipeStream(OsHandle pipe, PeerProcess peer, bool accepted, std::shared_ptr<PipeName> name,
             const Limits& limits);
  // To be connected.
  PipeStream(Endpoint endpoint, const WantedServer& wanted, const Limits& limits);
  ~PipeStream() override { HangUp(); }

  Result<bool> Connect() override;
  Result<std::unique_ptr<IoLoop::Watch>> MakeWatch(IoLoop& loop,
                                                   IoLoop::ReadyCallback callback) override;
  Result<Progress> Read(std::span<std::byte> shared, bool waits) override;
  Result<Progress> Write() override;
  bool awaits_peer() const override { return transfer_->awaits_peer(); }
  void HangUp() override;
  const Token& peer() const override { return peer_.token; }

 private:
  // The transfer has to be there before the peer is known.
  class Records final : public HandleRecords {
   public:
    explicit Records(PipeStream& stream) : stream_(stream) {}
    Result<std::vector<OsHandle>> Receive(std::span<const HandleRecord> records) override {
      return stream_.transfer_->Receive(records);
    }
    Status Control(std::span<const HandleRecord> records) override {
      return stream_.transfer_->Control(records);
    }

   private:
    PipeStream& stream_;
  };

  void Connected(bool accepted);
  // Waits for something to read. What GetLastError says if it cannot.
  DWORD AwaitData();
  // All that can be written in one go. Nothing: what goes next has to wait, or cannot go.
  std::optional<std::span<const std::byte>> NextBytes();
  bool PrepareHandles(std::span<OsHandle> handles);
  std::span<const std::byte> ControlBytes();
  void Written(size_t size);

  Records records_{*this};
  OsHandle pipe_;
  PeerProcess peer_;
  std::shared_ptr<PipeName> name_;
  std::unique_ptr<HandleTransfer> transfer_;
  std::optional<Endpoint> endpoint_;
  WantedServer wanted_;
  Overlapped awaiting_;
  Overlapped reading_;
  Overlapped writing_;
  // Of what is being written, if it is not a large message's own memory.
  std::vector<std::byte> buffer_;
  bool writes_control_ = false;
  bool peer_has_ended_ = false;
  bool has_trailer_ = false;  // The first message of the queue.
};

}  // namespace lwmsg::internal
