#include "lwmsg/message.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

#include "fields.capnp.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/payload_type.h"
#include "tests/support/inventory.h"
#include "tests/support/memory_transport.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {
namespace {

using internal::PayloadTypeOf;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using Collect = sample::Sample::CollectParams;

auto Object(uint64_t id, bool receivers, uint64_t kind) {
  return AllOf(Field("id", &internal::ObjectName::id, id),
               Field("receivers", &internal::ObjectName::receivers, receivers),
               Field("kind", &internal::ObjectName::kind, kind));
}

class MessageTest : public InventoriedTest {
 protected:
  static OutgoingMessage CollectMessage() {
    return OutgoingMessage::ForCall(sample::kSampleProtocol.id, 12);
  }
  // What a receiver says to the params of Collect.
  static Status Check(Frame frame, const Limits& limits = {}) {
    auto message = IncomingMessage::Parse(std::move(frame), limits);
    if (!message) return message.error();
    return message->CheckPayload(PayloadTypeOf<Collect>());
  }
  static Frame Words(std::initializer_list<uint64_t> words) {
    Frame frame{kj::heapArray<capnp::word>(words.size()), {}};
    std::memcpy(frame.words.asBytes().begin(), words.begin(), 8 * words.size());
    return frame;
  }
};

TEST_F(MessageTest, RoundTripKeepsTheContent) {
  OutgoingMessage message = CollectMessage();
  auto items = message.payload().initAs<Collect>().initItems(2);
  items[0].setName("zero");
  items[1].setName("one");
  auto received = IncomingMessage::Parse(ToFrame(std::move(message)), {});
  ASSERT_TRUE(received) << received.error();
  EXPECT_EQ(received->CheckPayload(PayloadTypeOf<Collect>()), Status());
  EXPECT_EQ(received->payload().getAs<Collect>().getItems()[1].getName(), "one");
}

TEST_F(MessageTest, LargeMessageHasSeveralSegments) {
  OutgoingMessage message = CollectMessage();
  auto items = message.payload().initAs<Collect>().initItems(100);
  for (auto item : items) item.setName(std::string(1000, 'x'));
  EXPECT_GT(message.Pieces().size(), 3U);
  EXPECT_EQ(Check(ToFrame(std::move(message))), Status());
}

TEST_F(MessageTest, WhatIsNoMessageIsRefused) {
  EXPECT_THAT(Check(Words({0xFFFFFFFFFFFFFFFF})).message(), HasSubstr("no Cap'n Proto message"));
  EXPECT_EQ(Check(Words({0})).code(), StatusCode::kMalformed);
  // One segment of 2^32 - 1 words.
  EXPECT_EQ(Check(Words({0xFFFFFFFF00000000, 0})).code(), StatusCode::kMalformed);
  // A root pointer far out of its segment.
  EXPECT_EQ(Check(Words({0x0000000100000000, 0x0000000100000FF0})).code(), StatusCode::kMalformed);
}

TEST_F(MessageTest, BytesBehindTheMessageAreRefused) {
  Frame frame = ToFrame(CollectMessage());
  Frame longer{kj::heapArray<capnp::word>(frame.words.size() + 1), {}};
  std::memset(longer.words.asBytes().begin(), 0, longer.words.asBytes().size());
  std::memcpy(longer.words.asBytes().begin(), frame.words.begin(), frame.words.asBytes().size());
  EXPECT_THAT(Check(std::move(longer)).message(), HasSubstr("holds a message of"));
}

TEST_F(MessageTest, NestingBeyondTheLimitIsRefused) {
  for (const auto& [depth, good] : {std::pair{10, true}, {100, false}, {5000, false}}) {
    OutgoingMessage message = CollectMessage();
    auto items = message.payload().initAs<Collect>().initItems(1);
    for (int i = 0; i < depth; ++i) items = items[0].initChildren(1);
    EXPECT_EQ(Check(ToFrame(std::move(message))).ok(), good) << depth;
  }
}

TEST_F(MessageTest, ManyPointersToOneTargetCostNoMoreThanTheirLimit) {
  // 2,000 items that share one list of 2,000 children: 4,000,000 to visit, in 96 KiB.
  constexpr uint64_t kCount = 2000;
  capnp::MallocMessageBuilder builder(16 * kCount);  // One segment, so one kind of pointer.
  auto params = builder.initRoot<wire::Envelope>().initCall().getParams().initAs<Collect>();
  params.initItems(kCount)[0].initChildren(kCount);
  Frame frame{capnp::messageToFlatArray(builder), {}};
  // A list's content begins with a tag: the count, no data words, three pointers for each item
  // (capnproto.org/encoding.html). The third pointer of the first item leads to the children.
  auto* words = reinterpret_cast<uint64_t*>(frame.words.begin());
  const uint64_t tag = kCount << 2 | uint64_t{3} << 48;
  auto* first = std::find(words, words + frame.words.size(), tag) + 3;
  for (uint64_t i = 1; i < kCount; ++i) first[3 * i] = *first - (3 * i << 2);
  const Status status = Check(std::move(frame));
  EXPECT_EQ(status.code(), StatusCode::kMalformed);
  EXPECT_THAT(status.message(), HasSubstr("traversal limit"));
}

TEST_F(MessageTest, ElementsWithoutSizeCostNoMoreThanTheirLimit) {
  OutgoingMessage message = OutgoingMessage::ForCall(sample::kSampleProtocol.id, 12);
  // A quarter of a billion items of no bytes each.
  message.payload().initAsAnyStruct(0, 1).getPointerSection()[0].initAs<capnp::List<capnp::Void>>(
      1U << 28);
  EXPECT_EQ(Check(ToFrame(std::move(message))).code(), StatusCode::kMalformed);
}

TEST_F(MessageTest, WrongTypeIsNamedByItsField) {
  OutgoingMessage message = CollectMessage();
  // A list of numbers where a list of items is wanted.
  auto root = message.payload().initAsAnyStruct(0, 1);
  root.getPointerSection()[0].initAs<capnp::List<bool>>(3);
  const Status status = Check(ToFrame(std::move(message)));
  EXPECT_EQ(status.code(), StatusCode::kMalformed);
  EXPECT_THAT(status.message(), HasSubstr("items"));
}

TEST_F(MessageTest, FieldPathLeadsToTheFault) {
  OutgoingMessage message = CollectMessage();
  auto items = message.payload().initAs<Collect>().initItems(3);
  items[2].initChildren(2)[1].initFile().setSlot(5);
  EXPECT_THAT(Check(ToFrame(std::move(message))).message(), HasSubstr("items[2].children[1].file"));
}

TEST_F(MessageTest, OneOsHandleInTwoPlacesIsRefused) {
  OutgoingMessage message = CollectMessage();
  auto items = message.payload().initAs<Collect>().initItems(2);
  message.handles().Put(items[0].getFile(), FileWith("x"));
  items[1].getFile().setSlot(1);
  const Status status = Check(ToFrame(std::move(message)));
  EXPECT_EQ(status.code(), StatusCode::kMalformed);
  EXPECT_THAT(status.message(), HasSubstr("items[1].file: "));
  EXPECT_THAT(status.message(), HasSubstr("two places"));
}

TEST_F(MessageTest, OsHandlesWithoutAPlaceInTheSchemaAreRefused) {
  OutgoingMessage message = OutgoingMessage::ForCall(sample::kSampleProtocol.id, 0);
  capnp::MallocMessageBuilder scratch;
  message.handles().Put(scratch.initRoot<schema::OsHandle>(), FileWith("x"));
  auto received = IncomingMessage::Parse(ToFrame(std::move(message)), {});
  ASSERT_TRUE(received);
  const Status status = received->CheckPayload(PayloadTypeOf<sample::Sample::EchoParams>());
  EXPECT_EQ(status.code(), StatusCode::kMalformed);
  EXPECT_THAT(status.message(), HasSubstr("no field for them"));
}

TEST_F(MessageTest, ObjectsThatAMessageNamesAreCollected) {
  using Group = fields::ObjectGroup;
  OutgoingMessage message = OutgoingMessage::ForCall(sample::kSampleProtocol.id, 0);
  auto group = message.payload().initAs<Group>();
  group.initFile().setId(7);
  auto list = group.initList(3);
  list[0].setId(1ULL << 40);
  list[2].setId(9);
  list[2].setReceivers(true);
  group.initBoxed().initValue().setId(11);
  group.initOpen().setId(12);
  group.getOther().initInactive();
  auto inner = group.getInner();
  inner.initSession().setId(13);
  EXPECT_EQ(message.CheckPayload(PayloadTypeOf<Group>()), Status());
  const uint64_t file = capnp::typeId<fields::File>();
  const uint64_t user = capnp::typeId<fields::User>();
  const auto expected =
      ElementsAre(Object(7, false, file), Object(1ULL << 40, false, file), Object(9, true, file),
                  Object(11, false, user), Object(12, false, 0), Object(13, false, user));
  EXPECT_THAT(message.object_names(), expected);
  auto received = IncomingMessage::Parse(ToFrame(std::move(message)), {});
  ASSERT_TRUE(received);
  EXPECT_EQ(received->CheckPayload(PayloadTypeOf<Group>()), Status());
  EXPECT_THAT(received->object_names(), expected);
}

TEST_F(MessageTest, OnlyTypesThatCanNameObjectsAreWalkedBeforeTheyAreSent) {
  EXPECT_TRUE(PayloadTypeOf<sample::Sample::UseParams>().carries_objects());
  EXPECT_FALSE(PayloadTypeOf<sample::Sample::UseResults>().carries_objects());
  EXPECT_FALSE(PayloadTypeOf<Collect>().carries_objects());
}

TEST_F(MessageTest, AHandlerMayReadAFieldAsOftenAsItLikes) {
  OutgoingMessage message = OutgoingMessage::ForCall(sample::kSampleProtocol.id, 11);
  message.payload().initAs<sample::Sample::BlobParams>().initData(100'000);
  auto received = IncomingMessage::Parse(ToFrame(std::move(message)), {});
  ASSERT_TRUE(received);
  ASSERT_EQ(received->CheckPayload(PayloadTypeOf<sample::Sample::BlobParams>()), Status());
  size_t bytes = 0;
  for (int i = 0; i < 1000; ++i) {
    bytes += received->payload().getAs<sample::Sample::BlobParams>().getData().size();
  }
  EXPECT_EQ(bytes, 100'000'000U);
}

}  // namespace
}  // namespace lwmsg::test
