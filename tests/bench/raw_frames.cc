#include "raw_frames.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

ssize_t RawSend(int socket, const RawHeader& header, std::span<const char> payload, int file) {
  iovec pieces[] = {{const_cast<RawHeader*>(&header), sizeof header},
                    {const_cast<char*>(payload.data()), payload.size()}};
  msghdr message = {};
  message.msg_iov = pieces;
  message.msg_iovlen = 2;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof file)];
  if (file >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof file);
    memcpy(CMSG_DATA(rights), &file, sizeof file);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t RawReceive(int socket, std::span<char> space, int& file) {
  iovec piece = {space.data(), space.size()};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof file)];
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  const cmsghdr* const rights = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (rights != nullptr) memcpy(&file, CMSG_DATA(rights), sizeof file);
  return got;
}

std::span<const char> RawReply(const RawFrame& request, uint64_t& number) {
  const std::span<const char> as_number(reinterpret_cast<const char*>(&number), sizeof number);
  switch (static_cast<Kind>(request.header.kind)) {
    case Kind::kEcho:
      return request.payload;
    case Kind::kTake:
      number = Digest(request.payload);
      return as_number;
    case Kind::kPass:
      return {};
    case Kind::kShare:
      memcpy(&number, request.payload.data(), sizeof number);
      number = SharedDigest(request.file, number);
      return as_number;
  }
  Die("a request of no kind");
}

RawCalls::RawCalls(const Shape& shape) : shape_(shape), payload_(shape.bytes, 'x') {
  if (shape.kind == Kind::kPass) {
    file_ = memfd_create("file", MFD_CLOEXEC);
    payload_.clear();
  } else if (shape.kind == Kind::kShare) {
    file_ = MakeShared(shape.bytes);
    shared_digest_ = ExpectedSharedDigest(shape.bytes);
    const uint64_t bytes = shape.bytes;
    payload_.assign(reinterpret_cast<const char*>(&bytes), sizeof bytes);
  }
}

RawCalls::~RawCalls() {
  if (file_ >= 0) close(file_);
}

RawFrame RawCalls::Next() {
  const uint64_t id = next_++;
  if (file_ < 0) Stamp(payload_, id);
  const auto size = static_cast<uint32_t>(payload_.size());
  return {{size, static_cast<uint32_t>(shape_.kind), id}, payload_, file_};
}

void RawCalls::CheckReply(const RawFrame& reply, uint64_t id) const {
  Check(reply.header.id == id, "a reply out of order");
  uint64_t number = 0;
  if (reply.payload.size() >= sizeof number) memcpy(&number, reply.payload.data(), sizeof number);
  switch (shape_.kind) {
    case Kind::kEcho:
      return CheckEcho(reply.payload, shape_.bytes, id);
    case Kind::kTake:
      return Check(number == ExpectedDigest(shape_.bytes, id), "a wrong digest");
    case Kind::kPass:
      CheckFile(reply.file);
      close(reply.file);
      return;
    case Kind::kShare:
      return Check(number == shared_digest_, "a wrong digest");
  }
}

}  // namespace bench
