#include "runtime/windows/pipe_stream.h"

#include <windows.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/secure_wipe.h"
#include "runtime/pipe_security.h"
#include "runtime/platform.h"
#include "runtime/windows/account.h"
#include "runtime/windows/handle_door.h"
#include "runtime/windows/pair_peer.h"
#include "runtime/windows/security.h"
#include "runtime/windows/system_status.h"

namespace lwmsg::internal {
namespace {

// Gathered into one write; a piece of this size or more is written from where it is.
constexpr size_t kGatherBytes = 16 << 10;
constexpr size_t kMaxPieces = 64;

bool IsEnd(DWORD error) {
  return error == ERROR_BROKEN_PIPE || error == ERROR_PIPE_NOT_CONNECTED || error == ERROR_NO_DATA;
}

// Both events of a stream, as one watch.
class PipeWatch final : public IoLoop::Watch {
 public:
  explicit PipeWatch(IoLoop::ReadyCallback callback) : callback_(std::move(callback)) {}

  Status Open(IoLoop& loop, const OsHandle& readable, const OsHandle& writable) {
    auto read = loop.MakeWatch(readable.get(), [this](auto) { callback_({true, false}); });
    if (!read) return std::move(read).error();
    auto write = loop.MakeWatch(writable.get(), [this](auto) { callback_({false, true}); });
    if (!write) return std::move(write).error();
    read_ = std::move(*read);
    write_ = std::move(*write);
    return Status();
  }

  void Want(IoLoop::Ready wanted) override {
    read_->Want({wanted.readable, false});
    write_->Want({false, wanted.writable});
  }

 private:
  IoLoop::ReadyCallback callback_;
  std::unique_ptr<IoLoop::Watch> read_;
  std::unique_ptr<IoLoop::Watch> write_;
};

Result<OsHandle> OpenPipe(const Endpoint& endpoint) {
  auto name = ToPipeName(endpoint);
  if (!name) return Error(std::move(name).error());
  // A server that is not the wanted one learns who this is, and no more.
  OsHandle pipe(CreateFileW(name->c_str(), kPipeClientAccess, 0, nullptr, OPEN_EXISTING,
                            FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                            nullptr));
  if (pipe.valid()) return pipe;
  switch (const DWORD error = GetLastError()) {
    case ERROR_PIPE_BUSY:
      return OsHandle();
    case ERROR_FILE_NOT_FOUND:
      return Error(StatusCode::kUnavailable, "no server at " + endpoint.ToString() +
                                                 ": there is no such pipe; is the server running?");
    case ERROR_ACCESS_DENIED:
      return Error(StatusCode::kPermissionDenied,
                   "this user may not connect to " + endpoint.ToString() +
                       "; see the server's ListenOptions::mode, owner and group");
    default:
      return Error(SystemStatus("cannot connect to " + endpoint.ToString(), error));
  }
}

std::optional<uint32_t> PidOf(BOOL(WINAPI* ask)(HANDLE, ULONG*), const OsHandle& pipe) {
  ULONG pid = 0;
  if (ask(pipe.get(), &pid) == 0 || pid == 0) return std::nullopt;
  return pid;
}

// The server of a pipe that was just opened, if it is the one that is wanted.
Result<PeerProcess> CheckServer(const OsHandle& pipe, const WantedServer& wanted) {
  const auto own = ReadOwnFacts();
  if (!own) return Error(own.error());
  const auto pid = PidOf(GetNamedPipeServerProcessId, pipe);
  auto server = OpenPeer(pid.value_or(0));
  PeerProcess peer = server ? std::move(*server) : PeerProcess();
  PeerFacts facts = peer.Facts();
  facts.pid_before = pid;
  facts.pid_after = PidOf(GetNamedPipeServerProcessId, pipe);
  facts.connected = SystemTime();
  Status right = MayServe(facts, OwnerOfPipe(pipe),
                          {wanted.euid, *own, LocalAccountDomains(), wanted.any_server});
  if (!right.ok()) return Error(std::move(right));
  return peer;
}

}  // namespace

PipeStream::PipeStream(OsHandle pipe, PeerProcess peer, bool accepted,
                       std::shared_ptr<PipeName> name, const Limits& limits)
    : FrameStream(limits, &records_),
      pipe_(std::move(pipe)),
      peer_(std::move(peer)),
      name_(std::move(name)) {
  Connected(accepted);
}

PipeStream::PipeStream(Endpoint endpoint, const WantedServer& wanted, const Limits& limits)
    : FrameStream(limits, &records_), endpoint_(std::move(endpoint)), wanted_(wanted) {}

void PipeStream::Connected(bool accepted) {
  transfer_ = std::make_unique<HandleTransfer>(MakeHandleDoor(peer_), accepted);
}

Result<bool> PipeStream::Connect() {
  auto pipe = OpenPipe(*endpoint_);
  if (!pipe) return Error(std::move(pipe).error());
  if (!pipe->valid()) return false;
  auto server = CheckServer(*pipe, wanted_);
  if (!server) {
    return Error(server.error().code(),
                 "the server at " + endpoint_->ToString() +
                     " is not the wanted one, nothing was sent to it: " + server.error().message());
  }
  pipe_ = std::move(*pipe);
  peer_ = std::move(*server);
  Connected(false);
  return true;
}

Result<std::unique_ptr<IoLoop::Watch>> PipeStream::MakeWatch(IoLoop& loop,
                                                             IoLoop::ReadyCallback callback) {
  auto watch = std::make_unique<PipeWatch>(std::move(callback));
  if (Status status = watch->Open(loop, awaiting_.event(), writing_.event()); !status.ok()) {
    return Error(std::move(status));
  }
  return watch;
}

DWORD PipeStream::AwaitData() {
  return awaiting_.Start([this](OVERLAPPED* overlapped) {
    return ReadFile(pipe_.get(), nullptr, 0, nullptr, overlapped);
  });
}

Result<FrameStream::Progress> PipeStream::Read(std::span<std::byte> shared, bool /*waits*/) {
  const auto end = [this](DWORD error) -> Result<Progress> {
    peer_has_ended_ = true;
    if (IsEnd(error)) return Progress::kEnd;
    return Error(StatusCode::kUnavailable,
                 SystemStatus("the connection was lost", error).message());
  };
  DWORD size = 0;
  if (awaiting_.pending()) {
    const DWORD error = awaiting_.Finish(pipe_, &size);
    if (error == ERROR_IO_INCOMPLETE) return Progress::kBlocked;
    // The thread that began to wait has ended, as that of a blocking client may (CancelIoEx is ours
    // alone): nothing was read.
    if (error != 0 && error != ERROR_OPERATION_ABORTED) return end(error);
  }
  DWORD available = 0;
  if (PeekNamedPipe(pipe_.get(), nullptr, 0, nullptr, &available, nullptr) == 0) {
    return end(GetLastError());
  }
  if (available == 0) {
    if (const DWORD error = AwaitData(); error != 0) return end(error);
    return Progress::kBlocked;
  }
  const FrameReader::Space space = reader_.SpaceFor(shared);
  const std::span<std::byte> to = space.frame.empty() ? space.shared : space.frame;
  const auto wanted = static_cast<DWORD>(std::min<size_t>(available, to.size()));
  const DWORD started = reading_.Start([&](OVERLAPPED* overlapped) {
    return ReadFile(pipe_.get(), to.data(), wanted, nullptr, overlapped);
  });
  if (started != 0) return end(started);
  // At once, as it is there and nobody else reads.
  WaitForSingleObject(reading_.event().get(), INFINITE);
  if (const DWORD error = reading_.Finish(pipe_, &size); error != 0) return end(error);
  last_read_size_ = size;
  last_read_was_full_ = size < available;
  reader_.Add(space, size, {});
  // An error is met again by the next Read: the event is set.
  if (!last_read_was_full_) static_cast<void>(AwaitData());
  return Progress::kSome;
}

Result<FrameStream::Progress> PipeStream::Write() {
  while (true) {
    if (writing_.pending()) {
      DWORD size = 0;
      const DWORD error = writing_.Finish(pipe_, &size);
      if (error == ERROR_IO_INCOMPLETE) return Progress::kBlocked;
      if (error == 0) {
        Written(size);
        continue;
      }
      peer_has_ended_ = true;
      queue_.Clear();
      return Error(StatusCode::kUnavailable,
                   SystemStatus("the peer takes no more messages", error).message());
    }
    if (queue_.empty() && !transfer_->has_control()) return Progress::kEnd;
    const auto bytes = NextBytes();
    if (!bytes) return unsent_ ? Progress::kSome : Progress::kBlocked;
    const DWORD error = writing_.Start([&](OVERLAPPED* overlapped) {
      return WriteFile(pipe_.get(), bytes->data(), static_cast<DWORD>(bytes->size()), nullptr,
                       overlapped);
    });
    if (error == 0) continue;
    peer_has_ended_ = true;
    queue_.Clear();
    return Error(StatusCode::kUnavailable,
                 SystemStatus("the peer takes no more messages", error).message());
  }
}

std::optional<std::span<const std::byte>> PipeStream::NextBytes() {
  if (transfer_->has_control() && queue_.at_boundary()) return ControlBytes();
  std::array<SendQueue::Piece, kMaxPieces> room;
  SendQueue::Batch batch = queue_.Next(room);
  if (!batch.handles.empty() && !has_trailer_) {
    if (!PrepareHandles(batch.handles)) {
      if (unsent_) return std::nullopt;
      if (transfer_->has_control()) return ControlBytes();
      // Until something is received.
      writing_.Reset();
      return std::nullopt;
    }
    batch = queue_.Next(room);
  }
  if (batch.pieces.front().size() >= kGatherBytes) {
    return std::as_bytes(std::span(batch.pieces.front().begin(), batch.pieces.front().size()));
  }
  for (const auto& piece : batch.pieces) {
    if (buffer_.size() + piece.size() > kGatherBytes && !buffer_.empty()) break;
    const auto* begin = reinterpret_cast<const std::byte*>(piece.begin());
    buffer_.insert(buffer_.end(), begin, begin + piece.size());
  }
  return buffer_;
}

bool PipeStream::PrepareHandles(std::span<OsHandle> handles) {
  auto records = transfer_->Send(handles);
  if (!records) {
    unsent_ = std::make_unique<Unsent>(Unsent{queue_.TakeFirst(), std::move(records).error()});
    return false;
  }
  if (!*records) return false;
  std::vector<std::byte> trailer;
  for (const HandleRecord& record : **records) AppendRecord(record, trailer);
  queue_.SetTrailer(std::move(trailer));
  has_trailer_ = true;
  return true;
}

std::span<const std::byte> PipeStream::ControlBytes() {
  const auto records = transfer_->TakeControl();
  // Several frames, if there are more than one may have.
  for (size_t first = 0; first < records.size(); first += kMaxFrameHandles) {
    const size_t count = std::min<size_t>(records.size() - first, kMaxFrameHandles);
    for (const kj::byte byte : kFrameMagic) buffer_.push_back(std::byte{byte});
    buffer_.resize(buffer_.size() + kFrameHeaderBytes - kFrameMagic.size());
    buffer_[buffer_.size() - kFrameHeaderBytes + 8] = static_cast<std::byte>(count);
    for (size_t i = first; i < first + count; ++i) AppendRecord(records[i], buffer_);
  }
  writes_control_ = true;
  return buffer_;
}

void PipeStream::Written(size_t size) {
  SecureWipe(buffer_.data(), buffer_.size());
  buffer_.clear();
  if (std::exchange(writes_control_, false)) return;
  queue_.Written(size);
  if (queue_.at_boundary()) has_trailer_ = false;
}

void PipeStream::HangUp() {
  if (!pipe_.valid()) return;
  awaiting_.Cancel(pipe_);
  writing_.Cancel(pipe_);
  SecureWipe(buffer_.data(), buffer_.size());
  pipe_.Close();
  // Now the peer can no longer be answered by a handle's number that means something else by then.
  transfer_->End(peer_has_ended_);
}

Result<std::unique_ptr<FrameStream>> NewStream(const Endpoint& endpoint, const WantedServer& wanted,
                                               const Limits& limits) {
  if (auto name = ToPipeName(endpoint); !name) return Error(std::move(name).error());
  return std::make_unique<PipeStream>(endpoint, wanted, limits);
}

Result<std::unique_ptr<FrameStream>> AdoptStream(OsHandle native, const Limits& limits) {
  if (Status status = CheckPipe(native); !status.ok()) return Error(std::move(status));
  DWORD flags = 0;
  GetNamedPipeInfo(native.get(), &flags, nullptr, nullptr, nullptr);
  const bool server_end = (flags & PIPE_SERVER_END) != 0;
  PeerProcess peer = PeerOfPair(native, server_end);
  return std::make_unique<PipeStream>(std::move(native), std::move(peer), server_end, nullptr,
                                      limits);
}

}  // namespace lwmsg::internal
