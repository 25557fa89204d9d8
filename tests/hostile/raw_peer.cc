#include "tests/hostile/raw_peer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "tests/hostile/raw_frames.h"

namespace lwmsg::test {

RawFrame::RawFrame(std::string_view body)
    : words(kj::heapArray<capnp::word>(body.size() / sizeof(capnp::word))) {
  std::memcpy(words.begin(), body.data(), body.size());
  reader = std::make_unique<capnp::FlatArrayMessageReader>(words);
}

RawPeer::RawPeer(OsHandle socket) : socket_(std::move(socket)) {
  fcntl(socket_.get(), F_SETFL, fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
}

RawPeer RawPeer::ConnectTo(const std::string& path) {
  OsHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  EXPECT_EQ(connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0)
      << path << ": " << std::strerror(errno);
  return RawPeer(std::move(socket));
}

bool RawPeer::Write(std::string_view bytes, std::span<const OsHandle> handles) {
  iovec piece = {const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(253 * sizeof(int))> space{};
  if (!handles.empty()) {
    header.msg_control = space.data();
    header.msg_controllen = CMSG_SPACE(handles.size() * sizeof(int));
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(handles.size() * sizeof(int));
    for (size_t i = 0; i < handles.size(); ++i) {
      const int number = handles[i].get();
      std::memcpy(CMSG_DATA(control) + i * sizeof(int), &number, sizeof(int));
    }
  }
  const ssize_t size = sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
  if (size < 0 && (errno == EPIPE || errno == ECONNRESET)) return false;
  EXPECT_EQ(size, static_cast<ssize_t>(bytes.size())) << std::strerror(errno);
  return size >= 0;
}

void RawPeer::Read() {
  std::array<char, 64 << 10> buffer;
  while (!ended_) {
    const ssize_t size = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) break;
    // A side that hangs up with something unread resets the connection.
    EXPECT_TRUE(size >= 0 || errno == ECONNRESET) << std::strerror(errno);
    if (size <= 0) ended_ = true;
    if (size > 0) unread_.append(buffer.data(), static_cast<size_t>(size));
  }
  while (unread_.size() >= kHeaderBytes) {
    uint32_t words = 0;
    std::memcpy(&words, unread_.data() + 4, sizeof(words));
    const size_t end = kHeaderBytes + size_t{8} * words;
    if (unread_.size() < end) break;
    frames_.emplace_back(std::string_view(unread_).substr(kHeaderBytes, size_t{8} * words));
    unread_.erase(0, end);
  }
}

std::optional<Status> RawPeer::Goodbye() const {
  if (frames_.empty() || !frames_.back().envelope().isGoodbye()) return std::nullopt;
  auto goodbye = frames_.back().envelope().getGoodbye();
  return Status(static_cast<StatusCode>(goodbye.getStatus()), goodbye.getMessage());
}

std::optional<Status> RawPeer::ReplyTo(uint32_t id) const {
  for (const RawFrame& frame : frames_) {
    auto envelope = frame.envelope();
    if (!envelope.isReply() || envelope.getReply().getId() != id) continue;
    return Status(static_cast<StatusCode>(envelope.getReply().getStatus()),
                  envelope.getReply().getMessage());
  }
  return std::nullopt;
}

std::vector<OsHandle> SomeFiles(size_t count) {
  std::vector<OsHandle> files;
  for (size_t i = 0; i < count; ++i) files.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  return files;
}

}  // namespace lwmsg::test
