#pragma once

#include <bench.lwmsg.h>
#include <lwmsg/lwmsg.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "contender.h"

namespace bench {

// Room for a MiB of payload and for 256 calls under way.
lwmsg::Limits BenchLimits();
void ServeLwmsg(Meeting meeting, const std::string& endpoint, unsigned loops,
                const std::function<void()>& ready);
// A client of either kind for an endpoint of contender.h.
template <typename C, typename... Loop>
std::unique_ptr<C> ConnectLwmsg(Meeting meeting, const std::string& endpoint, Loop&... loop) {
  if (meeting == Meeting::kPair)
    return std::make_unique<C>(loop..., lwmsg::OsHandle(std::stoi(endpoint)),
                               lwmsg::ClientOptions{.limits = BenchLimits()});
  return std::make_unique<C>(loop...,
                             (meeting == Meeting::kSocketFile ? "unix:" : "direct:") + endpoint,
                             lwmsg::ClientOptions{.limits = BenchLimits()});
}

template <typename T>
T Must(lwmsg::Result<T> result) {
  if (!result) Die(result.error().ToString());
  return std::move(*result);
}

// Calls do.operator()<kKind>() for the Kind that is known at run time.
template <typename F>
void ForKind(Kind kind, F&& function) {
  switch (kind) {
    case Kind::kEcho:
      return function.template operator()<Kind::kEcho>();
    case Kind::kTake:
      return function.template operator()<Kind::kTake>();
    case Kind::kPass:
      return function.template operator()<Kind::kPass>();
    case Kind::kShare:
      return function.template operator()<Kind::kShare>();
  }
}

// Fills the requests of a shape and checks their replies.
class LwmsgCalls {
 public:
  explicit LwmsgCalls(const Shape& shape);

  template <Kind kKind>
  auto Request(const BenchClient& stub, uint64_t number) {
    if constexpr (kKind == Kind::kEcho) {
      auto request = stub.Echo();
      SetPayload(request.params(), number);
      return request;
    } else if constexpr (kKind == Kind::kTake) {
      auto request = stub.Take();
      SetPayload(request.params(), number);
      return request;
    } else if constexpr (kKind == Kind::kPass) {
      auto request = stub.Pass();
      // What came back goes there again.
      request->setFile(std::move(file_));
      return request;
    } else {
      auto request = stub.Share();
      request->setFile(Must(file_.Duplicate()));
      request->setBytes(shape_.bytes);
      return request;
    }
  }

  template <Kind kKind, typename R>
  void CheckReply(lwmsg::Result<R> result, uint64_t number) {
    R reply = Must(std::move(result));
    if constexpr (kKind == Kind::kEcho) {
      CheckEcho(std::span(reply.getData().asChars().begin(), reply.getData().size()), shape_.bytes,
                number);
    } else if constexpr (kKind == Kind::kTake) {
      Check(reply.getDigest() == ExpectedDigest(shape_.bytes, number), "a wrong digest");
    } else if constexpr (kKind == Kind::kPass) {
      file_ = Must(reply.takeFile());
      CheckFile(file_.get());
    } else {
      Check(reply.getDigest() == shared_digest_, "a wrong digest");
    }
  }

 private:
  // A large one is sent from where it is, which must stay as it is until the call has ended: of
  // those under way each has its own, and they end in order.
  template <typename Params>
  void SetPayload(Params& params, uint64_t number) {
    const capnp::Data::Reader payload = Payload(number);
    if (payload.size() < kLarge) return params.setData(payload);
    params.adoptData(
        capnp::Orphanage::getForMessageContaining(params).referenceExternalData(payload));
  }
  capnp::Data::Reader Payload(uint64_t number);

  static constexpr size_t kLarge = 2048;

  Shape shape_;
  std::vector<std::string> payloads_;
  lwmsg::OsHandle file_;
  uint64_t shared_digest_ = 0;
};

}  // namespace bench
