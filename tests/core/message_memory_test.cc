#include "lwmsg/internal/message_memory.h"

#include <gtest/gtest.h>

#include <cstring>

#include "lwmsg/internal/fifo.h"
#include "lwmsg/message.h"

namespace lwmsg::test {
namespace {

using internal::Fifo;
using internal::MessageSizes;
using internal::ZeroedBlock;

size_t PiecesOf(size_t bytes, uint64_t interface_id) {
  OutgoingMessage message = OutgoingMessage::ForCall(interface_id, 0);
  message.payload().initAs<capnp::Data>(static_cast<uint32_t>(bytes));
  return message.Pieces().size();
}

TEST(MessageMemoryTest, LargeMessageIsOnePieceFromTheSecondOn) {
  for (const size_t bytes : {5'000, 64 << 10, 1 << 20}) {
    EXPECT_GT(PiecesOf(bytes, bytes), 1U) << bytes;
    EXPECT_EQ(PiecesOf(bytes, bytes), 1U) << bytes;
  }
  EXPECT_EQ(PiecesOf(100, 1), 1U);
}

TEST(MessageMemoryTest, LargerThanAnyBlockIsSentAllTheSame) {
  constexpr size_t kBytes = 8 << 20;
  EXPECT_GT(PiecesOf(kBytes, 2), 1U);
  EXPECT_GT(PiecesOf(kBytes, 2), 1U);
}

TEST(MessageMemoryTest, OneSmallMessageDoesNotForgetTheLargeOnes) {
  constexpr MessageSizes::Kind kKind = 77;
  MessageSizes::Note(kKind, 8000);
  MessageSizes::Note(kKind, 10);
  EXPECT_EQ(MessageSizes::Expected(kKind), 7000U);
  for (int i = 0; i < 100; ++i) MessageSizes::Note(kKind, 10);
  EXPECT_LT(MessageSizes::Expected(kKind), internal::kSmallWords);
}

TEST(MessageMemoryTest, BlockHasTheRoomThatWasAskedForAndIsZero) {
  for (const size_t words : {0, 1, 256, 257, 1000, 4096, 131'072}) {
    ZeroedBlock block(words);
    ASSERT_GE(block.segment().size(), words);
    for (const kj::byte byte : block.segment().asBytes()) ASSERT_EQ(byte, 0);
  }
}

TEST(MessageMemoryTest, WordsOfEachSizeAreThere) {
  for (const size_t words : {1, 256, 257, 1024, 1025, 131'584, 131'585, 1'000'000}) {
    for (int i = 0; i < 3; ++i) {
      auto memory = internal::NewWords(words);
      ASSERT_EQ(memory.size(), words);
      std::memset(memory.asBytes().begin(), 0xFF, memory.asBytes().size());
    }
  }
}

TEST(FifoTest, KeepsOrderThroughGrowthAndRest) {
  Fifo<int> fifo;
  int in = 0;
  int out = 0;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < round; ++i) fifo.push_back(in++);
    for (int i = 0; i < round - round % 3; ++i) ASSERT_EQ(fifo.TakeFront(), out++);
    ASSERT_EQ(fifo.size(), static_cast<size_t>(in - out));
  }
  while (!fifo.empty()) ASSERT_EQ(fifo.TakeFront(), out++);
  EXPECT_EQ(in, out);
}

}  // namespace
}  // namespace lwmsg::test
