#include "runtime/posix/socket_stream.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "lwmsg/internal/spare_memory.h"
#include "runtime/platform.h"
#include "runtime/posix/path_check.h"
#include "runtime/posix/socket_address.h"
#include "runtime/posix/socket_options.h"

namespace lwmsg::internal {
namespace {

constexpr size_t kMaxHandles = kMaxFrameHandles;
constexpr size_t kMaxPieces = 64;

// Room for all that the kernel can attach, so that nothing is ever cut for lack of it: too little
// room makes the kernel close descriptors silently, and a little too much lets more in than were
// asked for.
struct ReceiveControl {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxHandles * sizeof(int)) +
                                        CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int))> bytes;
};

// Sockets of this process with a large buffer: more wait for room a little more often.
constexpr int kMostGrown = 16;
std::atomic<int> grown_sockets = 0;

template <typename T>
void ReadData(const cmsghdr& control, T& to) {
  std::memcpy(&to, CMSG_DATA(&control), sizeof(T));
}

// Of a message whose handles the kernel will not pass; nothing of it was written, and others may go
// (unix(7)). ETOOMANYREFS is for a user with more of them in sockets that nobody reads than a
// process may open.
bool IsAboutHandles(int error) { return error == ETOOMANYREFS || error == EPERM || error == EBADF; }

Status CannotPass(int error) {
  const std::string what = "the kernel does not pass the message's OS handles";
  if (error == EPERM) {
    return Status(StatusCode::kPermissionDenied,
                  what +
                      ": the peer takes none (SO_PASSRIGHTS), as no interface that it offers on "
                      "this connection has any");
  }
  if (error != ETOOMANYREFS) return ErrnoStatus(what, error);
  return Status(StatusCode::kResourceExhausted,
                what +
                    ": too many of this user's are in sockets whose readers have not taken them "
                    "yet (RLIMIT_NOFILE); try again later");
}

// Builds the control part of a sendmsg.
class SendControl {
 public:
  void AddHandles(std::span<const OsHandle> handles) {
    std::array<int, kMaxHandles> numbers{};
    for (size_t i = 0; i < handles.size(); ++i) numbers[i] = handles[i].get();
    Add(SCM_RIGHTS, numbers.data(), handles.size() * sizeof(int));
  }

  // Explicit, as what the kernel adds by itself is the real user, not the effective one, and only
  // if the receiver asked before this was sent.
  void AddCredentials() {
    ucred self{};
    self.pid = getpid();
    self.uid = geteuid();
    self.gid = getegid();
    Add(SCM_CREDENTIALS, &self, sizeof(self));
  }

  void AttachTo(msghdr& header) {
    if (size_ == 0) return;
    header.msg_control = bytes_.data();
    header.msg_controllen = size_;
  }

 private:
  void Add(int type, const void* data, size_t size) {
    auto* control = reinterpret_cast<cmsghdr*>(bytes_.data() + size_);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = type;
    control->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(control), data, size);
    size_ += CMSG_SPACE(size);
  }

  alignas(cmsghdr)
      std::array<char, CMSG_SPACE(kMaxHandles * sizeof(int)) + CMSG_SPACE(sizeof(ucred))> bytes_{};
  size_t size_ = 0;
};

// Whether others could have put a server of theirs at a socket file's path.
Status CheckWay(const Endpoint& endpoint, const WantedServer& wanted) {
  if (endpoint.kind() != Endpoint::Kind::kPath) return Status();
  if (auto address = ToSocketAddress(endpoint); !address) return std::move(address).error();
  if (wanted.any_server || wanted.any_folder) return Status();
  const PathCheck way = CheckPath(endpoint.name(), wanted.euid);
  if (way.error != 0) return CannotConnect(endpoint, way.error);
  if (way.danger.empty()) return Status();
  return Status(StatusCode::kPermissionDenied,
                "other users could have put a server of theirs at " + endpoint.ToString() + ": " +
                    way.danger + "; nothing was sent. Mend that, or set ClientOptions::any_folder");
}

Status CheckServer(const Endpoint& endpoint, const WantedServer& wanted, const Token& server) {
  std::string why;
  std::string what_to_do;
  if (wanted.euid) {
    if (server.euid() == wanted.euid) return Status();
    why = "not the wanted user " + std::to_string(*wanted.euid);
  } else {
    const bool trusted = server.euid() == 0U || server.euid() == geteuid();
    if (trusted || wanted.any_server) return Status();
    why = "neither this user nor root";
    what_to_do = "; if it is meant, name its user in ClientOptions::server_euid, or set any_server";
  }
  return Status(StatusCode::kPermissionDenied, "the server at " + endpoint.ToString() + " is " +
                                                   server.ToString() + ", " + why +
                                                   "; nothing was sent to it" + what_to_do);
}

}  // namespace

SocketStream::SocketStream(OsHandle socket, SocketPeer peer, const Limits& limits,
                           bool strict_senders)
    : FrameStream(limits),
      socket_(std::move(socket)),
      passes_rights_(PassesRights(socket_)),
      has_passed_rights_(passes_rights_),
      strict_senders_(strict_senders) {
  Connected(std::move(peer));
}

SocketStream::SocketStream(OsHandle socket, Endpoint endpoint, const WantedServer& wanted,
                           const Limits& limits)
    : FrameStream(limits),
      socket_(std::move(socket)),
      server_(std::make_unique<const Server>(Server{std::move(endpoint), wanted})),
      passes_rights_(!SetPassRights(socket_, false)),
      has_passed_rights_(passes_rights_) {}

void SocketStream::HangUp() {
  if (std::exchange(has_grown_, false)) --grown_sockets;
  if (has_passed_rights_ && socket_.valid()) {
    // With what was not read go its descriptors. No more comes behind that.
    shutdown(socket_.get(), SHUT_RDWR);
    int unread = 0;
    if (ioctl(socket_.get(), FIONREAD, &unread) != 0 || unread != 0) {
      std::vector<OsHandle> later;
      Insist([&] { later.push_back(std::move(socket_)); });
      return CloseLaterForPeer(std::move(later));
    }
  }
  socket_.Close();
}

void SocketStream::TakeHandles(bool takes) {
  if (takes != passes_rights_ && SetPassRights(socket_, takes)) passes_rights_ = takes;
  has_passed_rights_ |= passes_rights_;
}

bool SocketStream::hung_up() const {
  pollfd ends{socket_.get(), POLLRDHUP, 0};
  return poll(&ends, 1, 0) > 0;
}

Result<bool> SocketStream::Connect() {
  const auto& [endpoint, wanted] = *server_;
  if (Status way = CheckWay(endpoint, wanted); !way.ok()) return Error(std::move(way));
  auto connected = ConnectOnce(socket_, endpoint);
  if (!connected || !*connected) return connected;
  Connected(PeerOfConnected(socket_));
  if (Status server = CheckServer(endpoint, wanted, peer_); !server.ok()) {
    return Error(std::move(server));
  }
  return true;
}

Result<std::unique_ptr<IoLoop::Watch>> SocketStream::MakeWatch(IoLoop& loop,
                                                               IoLoop::ReadyCallback callback) {
  // Only what this process opened itself: others may share the flags of what it was given.
  if (server_ && loop.sleeps_in_reads()) can_wait_in_read_ = SetBlocking(socket_, kLongestRead);
  return loop.MakeWatch(socket_.get(), std::move(callback));
}

void SocketStream::Connected(SocketPeer peer) {
  peer_ = std::move(peer.token);
  wants_credentials_ = !peer.is_final;
  if (wants_credentials_) ReceiveCredentials(socket_, true);
}

Result<FrameStream::Progress> SocketStream::Read(std::span<std::byte> shared, bool waits) {
  const FrameReader::Space space = reader_.SpaceFor(shared);
  std::array<iovec, 2> pieces = {iovec{space.frame.data(), space.frame.size()},
                                 iovec{space.shared.data(), space.shared.size()}};
  ReceiveControl control;
  msghdr header{};
  header.msg_iov = pieces.data();
  header.msg_iovlen = pieces.size();
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  ssize_t size = 0;
  do {
    size = recvmsg(socket_.get(), &header, (waits ? 0 : MSG_DONTWAIT) | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    const int error = errno;
    if (error == EAGAIN) return Progress::kBlocked;
    return Error(StatusCode::kUnavailable,
                 std::string("the connection was lost: ") + std::strerror(error));
  }
  Control with = TakeControl(header);
  if (wants_credentials_ && with.credentials) {
    peer_ = WriterToken(*with.credentials, std::move(with.process));
    wants_credentials_ = false;
    ReceiveCredentials(socket_, false);
  }
  if ((header.msg_flags & MSG_CTRUNC) != 0) {
    CloseLaterForPeer(std::move(with.handles));
    return Error(StatusCode::kMalformed,
                 "the kernel could not deliver all OS handles of a message: this process is at its "
                 "limit of open descriptors (RLIMIT_NOFILE)");
  }
  if (size == 0) return Progress::kEnd;
  if (strict_senders_) {
    if (Status writer = CheckWriter(with.credentials, peer_); !writer.ok()) {
      CloseLaterForPeer(std::move(with.handles));
      return Error(std::move(writer));
    }
  }
  last_read_size_ = static_cast<size_t>(size);
  last_read_was_full_ = last_read_size_ == space.frame.size() + space.shared.size();
  reader_.Add(space, static_cast<size_t>(size), std::move(with.handles));
  return Progress::kSome;
}

SocketStream::Control SocketStream::TakeControl(const msghdr& header) {
  Control taken;
  auto* mutable_header = const_cast<msghdr*>(&header);
  for (cmsghdr* control = CMSG_FIRSTHDR(mutable_header); control != nullptr;
       control = CMSG_NXTHDR(mutable_header, control)) {
    if (control->cmsg_level != SOL_SOCKET) continue;
    if (control->cmsg_type == SCM_RIGHTS) {
      // Every number gets an owner before anything else is looked at.
      const size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      Insist([&] { taken.handles.reserve(count); });
      for (size_t i = 0; i < count; ++i) {
        int number = -1;
        std::memcpy(&number, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
        taken.handles.emplace_back(number);
      }
    } else if (control->cmsg_type == SCM_CREDENTIALS) {
      ReadData(*control, taken.credentials.emplace());
    } else if (control->cmsg_type == kScmPidfd) {
      int number = -1;
      ReadData(*control, number);
      // At the limit of descriptors the kernel puts a negative error here.
      if (number >= 0) taken.process = OsHandle(number);
    }
  }
  return taken;
}

void SocketStream::GrowSendBuffer() {
  // A peer that has taken nothing yet may never do. And what is in sockets is the kernel's memory,
  // which nothing else bounds here.
  if (!std::exchange(has_blocked_, true) || has_grown_ || grown_sockets >= kMostGrown) return;
  has_grown_ = true;
  ++grown_sockets;
  // So that a large message crosses in fewer parts. The kernel takes no more than
  // net.core.wmem_max, and doubles it (socket(7)).
  const int bytes = 512 << 10;
  setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

Result<FrameStream::Progress> SocketStream::Write() {
  while (!queue_.empty()) {
    std::array<SendQueue::Piece, kMaxPieces> room;
    const SendQueue::Batch batch = queue_.Next(room);
    std::array<iovec, kMaxPieces> pieces;
    size_t offered = 0;
    for (size_t i = 0; i < batch.pieces.size(); ++i) {
      pieces[i] = {const_cast<kj::byte*>(batch.pieces[i].begin()), batch.pieces[i].size()};
      offered += batch.pieces[i].size();
    }
    msghdr header{};
    header.msg_iov = pieces.data();
    header.msg_iovlen = batch.pieces.size();
    SendControl control;
    if (!batch.handles.empty()) control.AddHandles(batch.handles);
    if (!sent_credentials_) control.AddCredentials();
    control.AttachTo(header);
    const ssize_t size = sendmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    const int error = size < 0 ? errno : 0;
    if (size >= 0) {
      sent_credentials_ = true;
      queue_.Written(static_cast<size_t>(size));
      // The kernel has no room for more: it need not be asked.
      if (static_cast<size_t>(size) < offered) {
        GrowSendBuffer();
        return Progress::kBlocked;
      }
    } else if (error == EAGAIN) {
      return Progress::kBlocked;
    } else if (!batch.handles.empty() && IsAboutHandles(error)) {
      unsent_ = std::make_unique<Unsent>(Unsent{queue_.TakeFirst(), CannotPass(error)});
      return Progress::kSome;
    } else if (error != EINTR) {
      queue_.Clear();
      return Error(ErrnoStatus("the kernel takes no more messages for the peer", error));
    }
  }
  return Progress::kEnd;
}

Result<std::unique_ptr<FrameStream>> NewStream(const Endpoint& endpoint, const WantedServer& wanted,
                                               const Limits& limits) {
  if (Status status = CheckKind(endpoint); !status.ok()) return Error(std::move(status));
  auto socket = NewSocket();
  if (!socket) return Error(std::move(socket).error());
  return std::make_unique<SocketStream>(std::move(*socket), endpoint, wanted, limits);
}

Result<std::unique_ptr<FrameStream>> AdoptStream(OsHandle native, const Limits& limits) {
  if (Status status = CheckSocket(native, false); !status.ok()) return Error(std::move(status));
  if (Status status = SetNonBlocking(native); !status.ok()) return Error(std::move(status));
  SocketPeer peer = PeerOfGiven(native);
  return std::make_unique<SocketStream>(std::move(native), std::move(peer), limits, false);
}

}  // namespace lwmsg::internal
