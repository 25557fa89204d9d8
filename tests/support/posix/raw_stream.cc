#include "tests/support/raw_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace lwmsg::test {

struct RawStream::State {
  OsHandle end;
};

RawStream::RawStream(OsHandle end) : state_(std::make_unique<State>(State{std::move(end)})) {
  fcntl(state_->end.get(), F_SETFL, fcntl(state_->end.get(), F_GETFL) | O_NONBLOCK);
}

RawStream::RawStream(RawStream&& other) noexcept = default;
RawStream& RawStream::operator=(RawStream&& other) noexcept = default;
RawStream::~RawStream() = default;

std::optional<RawStream> RawStream::ConnectTo(const std::string& endpoint) {
  OsHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  constexpr std::string_view kUnix = "unix:";
  EXPECT_TRUE(endpoint.starts_with(kUnix)) << endpoint;
  endpoint.substr(kUnix.size()).copy(address.sun_path, sizeof(address.sun_path) - 1);
  EXPECT_EQ(connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0)
      << endpoint << ": " << std::strerror(errno);
  return RawStream(std::move(socket));
}

bool RawStream::Write(std::string_view bytes) {
  const ssize_t size = send(state_->end.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (size < 0 && (errno == EPIPE || errno == ECONNRESET)) return false;
  EXPECT_EQ(size, static_cast<ssize_t>(bytes.size())) << std::strerror(errno);
  return size >= 0;
}

bool RawStream::Read(std::string& bytes) {
  std::array<char, 64 << 10> buffer;
  while (true) {
    const ssize_t size = recv(state_->end.get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EAGAIN) return true;
    // A side that hangs up with something unread resets the connection.
    EXPECT_TRUE(size >= 0 || errno == ECONNRESET) << std::strerror(errno);
    if (size <= 0) return false;
    bytes.append(buffer.data(), static_cast<size_t>(size));
  }
}

void RawStream::Close() { state_->end.Close(); }

const OsHandle& RawStream::end() const { return state_->end; }

}  // namespace lwmsg::test
