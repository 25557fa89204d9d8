#include "lwmsg_service.h"

#include <span>

namespace bench {

namespace {

constexpr uint32_t kMostBytes = 2 << 20;
constexpr uint32_t kMostCalls = 512;

std::span<const char> Span(capnp::Data::Reader data) {
  return {data.asChars().begin(), data.size()};
}

class Service final : public BenchService {
  void Echo(EchoCall call) override {
    call.results().setData(call->getData());
    call.Reply();
  }
  void Take(TakeCall call) override {
    call.results().setDigest(Digest(Span(call->getData())));
    call.Reply();
  }
  void TakeShared(TakeSharedCall call) override {
    const lwmsg::SharedMemory memory = Must(call->takeMemory());
    const std::span bytes(reinterpret_cast<const char*>(memory.bytes().data()),
                          memory.bytes().size());
    TouchPages(bytes);
    call.results().setDigest(Digest(bytes));
    call.Reply();
  }
  void Pass(PassCall call) override {
    call.results().setFile(Must(call->takeFile()));
    call.Reply();
  }
  void Share(ShareCall call) override {
    const lwmsg::OsHandle file = Must(call->takeFile());
    call.results().setDigest(SharedDigest(file.get(), call->getBytes()));
    call.Reply();
  }
};

lwmsg::Status Listen(lwmsg::Server& server, Meeting meeting, const std::string& endpoint) {
  switch (meeting) {
    case Meeting::kSocketFile:
      return server.Listen("unix:" + endpoint);
    case Meeting::kPair:
      return server.Adopt(lwmsg::OsHandle(std::stoi(endpoint)));
    case Meeting::kOneProcess:
      return server.Listen("direct:" + endpoint);
  }
  Die("no such meeting");
}

}  // namespace

lwmsg::Limits BenchLimits() {
  lwmsg::Limits limits;
  limits.max_frame_bytes = kMostBytes;
  limits.max_calls = kMostCalls;
  return limits;
}

void ServeLwmsg(Meeting meeting, const std::string& endpoint, unsigned loops,
                const std::function<void()>& ready) {
  Service service;
  lwmsg::Loop loop;
  lwmsg::Server server(loop, {.limits = BenchLimits(), .loops = loops});
  lwmsg::Status status = server.Serve(service);
  if (status.ok()) status = Listen(server, meeting, endpoint);
  if (!status.ok()) Die(status.ToString());
  ready();
  loop.Run();
}

LwmsgCalls::LwmsgCalls(const Shape& shape)
    : shape_(shape), payloads_(shape.outstanding, std::string(shape.bytes, 'x')) {
  if (shape.kind != Kind::kPass && shape.kind != Kind::kShare) return;
  file_ = lwmsg::OsHandle(MakeShared(shape.bytes));
  shared_digest_ = ExpectedSharedDigest(shape.bytes);
}

capnp::Data::Reader LwmsgCalls::Payload(uint64_t number) {
  std::string& payload = payloads_[number % payloads_.size()];
  Stamp(payload, number);
  return {reinterpret_cast<const kj::byte*>(payload.data()), payload.size()};
}

}  // namespace bench
