#include "tests/hostile/fixture.h"

// What peers sent and is still here: Limits::max_received_bytes.
namespace lwmsg::test {
namespace {

// So much of a user's messages may be in the server at a time.
class ReceivedBytesTest : public HostilePeerTest {
 protected:
  static constexpr size_t kText = 100'000;  // More than is read at a time.
  void ServeWith(size_t max_received_bytes) {
    Limits limits;
    limits.max_received_bytes = max_received_bytes;
    Serve(limits);
  }
  static std::string KeepFrame(uint32_t id, size_t size) {
    return CallFrame(id, kKeep, [size](auto params) {
      params.template initAs<sample::Sample::KeepParams>().setText(std::string(size, 'x'));
    });
  }
  // Has a call more, small enough to come in one read, in its handler's hands, or refused.
  std::optional<Status> KeepOneMore(RawPeer& peer, uint32_t id) {
    const size_t kept = sample_.kept.size();
    peer.Write(KeepFrame(id, 100));
    RunUntil([&] {
      peer.Read();
      return sample_.kept.size() > kept || peer.ReplyTo(id).has_value();
    });
    return peer.ReplyTo(id);
  }
};

TEST_F(ReceivedBytesTest, MessageThatHasBegunWaitsForRoom) {
  ServeWith(2 * kText + 20'000);
  RawPeer first = ConnectAndGreet();
  RawPeer second = ConnectAndGreet();
  // Two that never become whole hold what there is.
  first.Write(KeepFrame(1, kText).substr(0, 70'000));
  second.Write(KeepFrame(1, kText).substr(0, 70'000));
  ASSERT_EQ(Echo(*bystander_), Status());
  RawPeer third = ConnectAndGreet();
  third.Write(KeepFrame(1, kText));
  for (int i = 0; i < 20; ++i) ASSERT_EQ(Echo(*bystander_), Status());
  EXPECT_TRUE(sample_.kept.empty());
  first.Close();
  RunUntil([&] { return sample_.kept.size() == 1; });
  sample_.kept[0].Reply();
  EXPECT_EQ(AnswerTo(third, 1), Status());
}

TEST_F(ReceivedBytesTest, MessageLargerThanAllThereIsComesInAlone) {
  ServeWith(1000);
  RawPeer peer = ConnectAndGreet();
  peer.Write(EchoFrame(1, std::string(kText, 'x')));
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kResourceExhausted,
                   {"more than 1000 bytes", "Limits::max_received_bytes"}));
  EXPECT_EQ(Echo(peer, 2), Status());
}

TEST_F(ReceivedBytesTest, WhatHandlersKeepCountsAlsoBehindTheEndOfItsConnection) {
  ServeWith(2000);
  {
    RawPeer gone = ConnectAndGreet();
    ASSERT_EQ(KeepOneMore(gone, 1), std::nullopt);
    ASSERT_EQ(KeepOneMore(gone, 2), std::nullopt);
    EXPECT_TRUE(Says(KeepOneMore(gone, 3), StatusCode::kResourceExhausted,
                     {"more than 2000 bytes", "Limits::max_received_bytes"}));
    // Nobody of this user is connected any more.
    bystander_.reset();
    gone.Close();
    RunUntil([&] { return server_->association_count() == 0; });
  }
  RawPeer peer = ConnectAndGreet();
  EXPECT_TRUE(Says(KeepOneMore(peer, 1), StatusCode::kResourceExhausted,
                   {"more than 2000 bytes", "Limits::max_received_bytes"}));
  sample_.kept.clear();
  EXPECT_EQ(KeepOneMore(peer, 2), std::nullopt);
  sample_.kept.clear();
  EXPECT_EQ(Echo(peer, 3), Status());
  bystander_.emplace(loop_, folder_.Endpoint());
  ASSERT_EQ(Echo(*bystander_), Status());
}

}  // namespace
}  // namespace lwmsg::test
