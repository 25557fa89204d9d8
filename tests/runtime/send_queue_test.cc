#include "runtime/send_queue.h"

#include <gmock/gmock.h>

#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {
namespace {

using internal::SendQueue;

OutgoingMessage Text(const std::string& text, int handles = 0) {
  // Of a kind that does not learn: it is built alike each time.
  OutgoingMessage message = OutgoingMessage::ForReply(0, 0);
  message.payload().initAs<sample::Sample::EchoResults>().setText(text);
  for (int i = 0; i < handles; ++i) {
    capnp::MallocMessageBuilder scratch;
    message.handles().Put(scratch.initRoot<schema::OsHandle>(), FileWith("x"));
  }
  return message;
}

size_t SizeOf(const SendQueue::Batch& batch) {
  size_t size = 0;
  for (auto piece : batch.pieces) size += piece.size();
  return size;
}

std::string BytesOf(OutgoingMessage message) {
  std::string bytes;
  for (auto piece : message.Pieces()) {
    bytes.append(reinterpret_cast<const char*>(piece.begin()), piece.size());
  }
  return bytes;
}

class SendQueueTest : public InventoriedTest {
 protected:
  // What a kernel that takes `step` bytes at a time gets to see.
  std::string WriteAll(size_t step) {
    std::string bytes;
    while (!queue_.empty()) {
      auto batch = Next();
      handle_counts_.push_back(batch.handles.size());
      size_t left = step;
      for (auto piece : batch.pieces) {
        const size_t size = std::min(left, piece.size());
        bytes.append(reinterpret_cast<const char*>(piece.begin()), size);
        left -= size;
      }
      queue_.Written(step - left);
    }
    return bytes;
  }

  // What it says counts until the next one.
  SendQueue::Batch Next() { return queue_.Next(room_); }

  std::array<SendQueue::Piece, 64> room_;
  SendQueue queue_;
  std::vector<size_t> handle_counts_;
};

TEST_F(SendQueueTest, ManyMessagesGoInOneBatch) {
  for (int i = 0; i < 10; ++i) queue_.Add(Text("message"));
  EXPECT_EQ(SizeOf(Next()), queue_.bytes());
  queue_.Written(queue_.bytes());
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.bytes(), 0U);
}

TEST_F(SendQueueTest, PartialWritesGiveTheSameBytes) {
  std::string whole;
  for (size_t step : {1000000, 1, 7, 4096}) {
    for (size_t size : {3, 5000, 0, 20000}) queue_.Add(Text(std::string(size, 'z')));
    const std::string bytes = WriteAll(step);
    if (whole.empty()) whole = bytes;
    EXPECT_EQ(bytes, whole) << step;
  }
}

TEST_F(SendQueueTest, HandlesRideOnceOnTheFirstByteOfTheirMessage) {
  queue_.Add(Text("a"));
  queue_.Add(Text("b", 2));
  queue_.Add(Text("c"));
  auto first = Next();
  EXPECT_TRUE(first.handles.empty());
  queue_.Written(SizeOf(first));
  auto second = Next();
  EXPECT_EQ(second.handles.size(), 2U);
  const size_t whole = SizeOf(second);
  EXPECT_LT(whole, queue_.bytes()) << "a message was glued behind handles";
  queue_.Written(1);
  auto rest = Next();
  EXPECT_TRUE(rest.handles.empty());
  EXPECT_EQ(SizeOf(rest), whole - 1);
  queue_.Written(whole - 1);
  EXPECT_TRUE(Next().handles.empty());
}

TEST_F(SendQueueTest, KnowsHowMuchWaits) {
  queue_.Add(Text("a", 2));
  queue_.Add(Text("b", 1));
  queue_.Add(Text("c"));
  EXPECT_EQ(queue_.size(), 3U);
  EXPECT_EQ(queue_.handles(), 3U);
  queue_.Written(SizeOf(Next()));
  EXPECT_EQ(queue_.size(), 2U);
  EXPECT_EQ(queue_.handles(), 1U);
  static_cast<void>(queue_.TakeFirst());
  EXPECT_EQ(queue_.size(), 1U);
  EXPECT_EQ(queue_.handles(), 0U);
}

TEST_F(SendQueueTest, ABatchHasNoMorePiecesThanAsked) {
  for (int i = 0; i < 100; ++i) queue_.Add(Text("x"));
  EXPECT_EQ(queue_.Next(std::span(room_).first(7)).pieces.size(), 7U);
}

TEST_F(SendQueueTest, TrailerFollowsItsMessageInAnyStep) {
  const std::string trailer = "trailer!";
  for (size_t step : {1000000, 1, 7, 24}) {
    queue_.Add(Text("a", 1));
    queue_.Add(Text("b"));
    const std::string plain_a = BytesOf(Text("a", 1));
    const std::string plain_b = BytesOf(Text("b"));
    const size_t before = queue_.bytes();
    queue_.SetTrailer(std::vector<std::byte>(trailer.size(), std::byte{'t'}));
    EXPECT_EQ(queue_.bytes(), before + trailer.size());
    EXPECT_TRUE(queue_.at_boundary());
    EXPECT_EQ(WriteAll(step), plain_a + std::string(trailer.size(), 't') + plain_b) << step;
    EXPECT_EQ(queue_.bytes(), 0U);
    EXPECT_TRUE(queue_.at_boundary());
  }
}

TEST_F(SendQueueTest, NothingGoesInOneBatchWithATrailer) {
  queue_.Add(Text("a", 1));
  queue_.Add(Text("b"));
  queue_.SetTrailer(std::vector<std::byte>(16));
  const size_t first = BytesOf(Text("a", 1)).size() + 16;
  EXPECT_EQ(SizeOf(Next()), first);
  // Up to the middle of the trailer.
  queue_.Written(first - 5);
  EXPECT_FALSE(queue_.at_boundary());
  EXPECT_EQ(SizeOf(Next()), 5U);
  queue_.Written(5);
  EXPECT_TRUE(queue_.at_boundary());
}

TEST_F(SendQueueTest, TheFirstMessageCanBeTakenOut) {
  queue_.Add(Text("a", 2));
  queue_.Add(Text("b"));
  const std::string b = BytesOf(Text("b"));
  {
    OutgoingMessage first = queue_.TakeFirst();
    EXPECT_EQ(first.handles().all().size(), 2U);
  }
  EXPECT_EQ(queue_.bytes(), b.size());
  EXPECT_EQ(WriteAll(1000), b);
  queue_.Add(Text("c", 1));
  queue_.SetTrailer(std::vector<std::byte>(16));
  queue_.TakeFirst();
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.bytes(), 0U);
}

}  // namespace
}  // namespace lwmsg::test
