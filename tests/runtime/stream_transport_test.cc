#include "runtime/stream_transport.h"

#include <gtest/gtest.h>

#include <memory>

#include "runtime/platform.h"
#include "runtime/uv_loop.h"
#include "tests/support/inventory.h"

// What a transport queues, before its loop turns.
namespace lwmsg::test {
namespace {

using internal::StreamTransport;

class StreamTransportTest : public InventoriedTest {
 protected:
  static constexpr size_t kMost = 10'000;

  // That of a server, for a user whose share that is; or that of a client.
  std::unique_ptr<StreamTransport> Make(std::shared_ptr<internal::UserShare> share) {
    auto pair = MakePairHere();
    Limits limits;
    limits.max_queued_bytes = kMost;
    auto stream = internal::AdoptStream(std::move(pair->first), limits);
    others_.push_back(std::move(pair->second));
    return std::make_unique<StreamTransport>(loop_, std::move(*stream), limits, std::move(share));
  }
  static void Send(StreamTransport& transport, size_t bytes) {
    OutgoingMessage message;
    message.state().envelope.initGoodbye().setMessage(std::string(bytes, 'x').c_str());
    transport.Send(std::move(message));
  }

  internal::UvLoop loop_{nullptr};
  internal::UserShares shares_{loop_, Limits()};
  std::vector<OsHandle> others_;
};

TEST_F(StreamTransportTest, MessageBeyondTheLimitIsNotQueuedAndCountsAsIfItWere) {
  for (const auto& share : {shares_.For(Token()), std::shared_ptr<internal::UserShare>()}) {
    const auto transport = Make(share);
    Send(*transport, kMost / 2);
    const auto before = transport->queued();
    EXPECT_GT(before.bytes, kMost / 2);
    EXPECT_EQ(transport->queued_for_user().bytes, before.bytes);
    Send(*transport, kMost / 2);
    EXPECT_EQ(transport->queued(), before);
    EXPECT_GT(transport->queued_for_user().bytes, kMost);
    // Nor is what comes behind it, however small.
    Send(*transport, 1);
    EXPECT_EQ(transport->queued(), before);
    EXPECT_GT(transport->queued_for_user().bytes, kMost);
  }
}

// In one turn of the loop as in many.
TEST_F(StreamTransportTest, WhatOneConnectionOfAUserHasQueuedIsMissingToTheOthers) {
  const auto share = shares_.For(Token());
  const auto first = Make(share);
  const auto second = Make(share);
  Send(*first, kMost / 2);
  Send(*second, kMost / 2);
  EXPECT_EQ(second->queued().bytes, 0U);
  EXPECT_GT(second->queued_for_user().bytes, kMost);
  EXPECT_EQ(first->queued_for_user(), first->queued());
  EXPECT_EQ(share->queued(), first->queued());
}

}  // namespace
}  // namespace lwmsg::test
