#include "lwmsg/shared_memory.h"

#include <gmock/gmock.h>

#include <numeric>

#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/shared_places.h"
#include "tests/core/harness.h"

namespace lwmsg::test {
namespace {

using ::testing::HasSubstr;

constexpr size_t kPlaceBytes = 1 << 16;  // Windows rounds up to pages.

class SharedMemoryTest : public AssociationTest {
 protected:
  static WritableMemory Filled(Result<WritableMemory> memory, std::byte with) {
    EXPECT_TRUE(memory) << memory.error();
    for (std::byte& byte : memory->bytes()) byte = with;
    return std::move(*memory);
  }
  static SharedMemoryPool NewPool(size_t places = 2) {
    auto pool = SharedMemoryPool::Create(kPlaceBytes, places);
    EXPECT_TRUE(pool) << pool.error();
    return std::move(*pool);
  }
  // What the server found to be the sum of the bytes.
  Result<uint64_t> Share(WritableMemory memory, bool keep = false) {
    auto share = Client().Share();
    share->setMemory(std::move(memory));
    share->setKeep(keep);
    return Send(std::move(share));
  }
  Result<uint64_t> Send(sample::SampleClient::ShareRequest share) {
    auto reply = *CallNow(std::move(share));
    if (!reply) return Error(reply.error());
    return reply->getSum();
  }
  Result<SharedMemory> Render(uint32_t size, bool own) {
    auto render = Client().Render();
    render->setSize(size);
    render->setOwn(own);
    auto reply = *CallNow(std::move(render));
    if (!reply) return Error(reply.error());
    return reply->takeMemory();
  }
};

TEST_F(SharedMemoryTest, OfItsOwnIsReadByTheReceiver) {
  Open();
  EXPECT_EQ(Share(Filled(WritableMemory::Create(100'000), std::byte{3})), 300'000U);
  auto part = Filled(WritableMemory::Create(100'000), std::byte{3});
  part.Truncate(10);
  EXPECT_EQ(Share(std::move(part)), 30U);
}

TEST_F(SharedMemoryTest, OfAPoolIsReadInPlaceAndComesBack) {
  Open();
  const SharedMemoryPool pool = NewPool();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Share(Filled(SharedMemoryPool(pool).Take(), std::byte{1})), kPlaceBytes);
    EXPECT_EQ(pool.free_places(), 2U);
  }
}

TEST_F(SharedMemoryTest, PoolIsSentOnceAndMappedOnce) {
  Open();
  SharedMemoryPool pool = NewPool();
  ASSERT_TRUE(Share(Filled(pool.Take(), std::byte{1}), true));
  ASSERT_TRUE(Share(Filled(pool.Take(), std::byte{2}), true));
  ASSERT_EQ(sample_.shared.size(), 2U);
  const auto* first = sample_.shared[0].bytes().data();
  const auto* second = sample_.shared[1].bytes().data();
  EXPECT_EQ(second - first, ptrdiff_t{kPlaceBytes});
  EXPECT_EQ(*second, std::byte{2});
  EXPECT_EQ(pool.free_places(), 0U);
  EXPECT_EQ(pool.Take().error().code(), StatusCode::kResourceExhausted);
  sample_.shared.clear();
  executor_.Run();
  EXPECT_EQ(pool.free_places(), 2U);
}

TEST_F(SharedMemoryTest, ReplyCarriesIt) {
  Open();
  for (const bool own : {true, false}) {
    auto memory = Render(1000, own);
    ASSERT_TRUE(memory) << memory.error();
    ASSERT_EQ(memory->bytes().size(), 1000U);
    EXPECT_EQ(memory->bytes()[999], std::byte{999 % 256});
  }
  executor_.Run();
  EXPECT_EQ(sample_.pool->free_places(), 2U);
}

TEST_F(SharedMemoryTest, IsTakenOnce) {
  Open();
  for (const bool own : {true, false}) {
    auto render = Client().Render();
    render->setSize(10);
    render->setOwn(own);
    auto reply = *CallNow(std::move(render));
    ASSERT_TRUE(reply->takeMemory());
    EXPECT_EQ(reply->takeMemory().error().code(), StatusCode::kFailedPrecondition) << own;
  }
}

TEST_F(SharedMemoryTest, ThatNobodyTookComesBack) {
  Open();
  auto render = Client().Render();
  render->setSize(10);
  ASSERT_TRUE(CallNow(std::move(render)));
  executor_.Run();
  EXPECT_EQ(sample_.pool->free_places(), 2U);
}

TEST_F(SharedMemoryTest, ThatWasNotSentCostsNoPlace) {
  Open();
  SharedMemoryPool pool = NewPool();
  {
    const auto dropped = pool.Take();
  }
  {
    auto share = Client().Share();
    share->setMemory(*pool.Take());
    share->setMemory(*pool.Take());
    EXPECT_EQ(pool.free_places(), 1U) << "the first was replaced";
  }
  EXPECT_EQ(pool.free_places(), 2U);
  client_.transport->RefuseNext(Status(StatusCode::kPermissionDenied, "not this one"));
  EXPECT_EQ(Share(*pool.Take()).error().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(pool.free_places(), 2U);
  EXPECT_EQ(Share(Filled(pool.Take(), std::byte{1})), kPlaceBytes) << "the pool is sent again";
}

TEST_F(SharedMemoryTest, EndOfTheAssociationFreesThePlacesAndLeavesTheBytes) {
  Open();
  SharedMemoryPool pool = NewPool();
  ASSERT_TRUE(Share(Filled(pool.Take(), std::byte{7}), true));
  client_.association->Close(Status());
  executor_.Run();
  EXPECT_EQ(pool.free_places(), 2U);
  EXPECT_EQ(sample_.shared[0].bytes()[0], std::byte{7});
  sample_.shared.clear();
}

TEST_F(SharedMemoryTest, FieldWithoutMemorySaysSo) {
  Open();
  EXPECT_EQ(Send(Client().Share()).error().code(), StatusCode::kNotFound);
}

TEST_F(SharedMemoryTest, MoreThanTheLimitIsRefusedByItsName) {
  Limits limits;
  limits.max_shared_bytes = 2 * kPlaceBytes;
  Open({}, limits);
  for (auto result : {Share(*WritableMemory::Create(3 * kPlaceBytes)), Share(*NewPool(3).Take())}) {
    EXPECT_EQ(result.error().code(), StatusCode::kResourceExhausted);
    EXPECT_THAT(result.error().message(), HasSubstr("Limits::max_shared_bytes"));
  }
  EXPECT_EQ(Share(Filled(NewPool(2).Take(), std::byte{1})), kPlaceBytes);
  SharedMemoryPool second = NewPool(1);
  EXPECT_EQ(Share(*second.Take()).error().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(second.free_places(), 1U);
}

TEST_F(SharedMemoryTest, MorePoolsThanABoundAreRefused) {
  Open();
  for (size_t i = 0; i < internal::BorrowedMemory::kMostPools; ++i) {
    ASSERT_EQ(Share(Filled(NewPool(1).Take(), std::byte{1})), kPlaceBytes) << i;
  }
  const auto result = Share(*NewPool(1).Take());
  EXPECT_EQ(result.error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(result.error().message(), HasSubstr("64 pools"));
}

// --- A peer that lies.

TEST_F(SharedMemoryTest, PlaceOutsideTheMemoryIsRefused) {
  Open();
  for (const auto& [offset, size] : std::vector<std::pair<uint64_t, uint64_t>>{
           {0, 1'000'000}, {1'000'000, 1}, {5000, UINT64_MAX - 5000}, {UINT64_MAX, 2}}) {
    auto share = Client().Share();
    share.Put(share->getMemory().getMemory(), *WritableMemory::Create(kPlaceBytes)->Seal());
    share->getMemory().setOffset(offset);
    share->getMemory().setSize(size);
    EXPECT_EQ(Send(std::move(share)).error().code(), StatusCode::kMalformed) << offset;
  }
}

TEST_F(SharedMemoryTest, PlaceOutsideThePoolIsRefused) {
  Open();
  auto share = Client().Share();
  share->getMemory().setPool(1'000'000);
  share.Put(share->getMemory().getMemory(), *WritableMemory::Create(kPlaceBytes)->Seal());
  share->getMemory().setOffset(1);
  share->getMemory().setSize(1'000'000);
  const auto result = Send(std::move(share));
  EXPECT_EQ(result.error().code(), StatusCode::kMalformed);
  EXPECT_THAT(result.error().message(), HasSubstr("at offset 1 of memory that has"));
}

TEST_F(SharedMemoryTest, UnknownPoolIsRefused) {
  Open();
  auto share = Client().Share();
  share->getMemory().setPool(77);
  share->getMemory().setSize(1);
  const auto result = Send(std::move(share));
  EXPECT_EQ(result.error().code(), StatusCode::kMalformed);
  EXPECT_THAT(result.error().message(), HasSubstr("pool 77"));
}

TEST_F(SharedMemoryTest, FileThatIsNoSharedMemoryIsRefused) {
  Open();
  for (const uint64_t pool : {0, 5}) {
    auto share = Client().Share();
    share.Put(share->getMemory().getMemory(), FileWith("content"));
    share->getMemory().setPool(pool);
    share->getMemory().setSize(1);
    const auto result = Send(std::move(share));
    EXPECT_EQ(result.error().code(), StatusCode::kMalformed) << pool;
    EXPECT_THAT(result.error().message(), HasSubstr("the peer's shared memory")) << pool;
  }
}

TEST_F(SharedMemoryTest, ReturnOfWhatWasNotLentEndsTheAssociation) {
  Open();
  OutgoingMessage message;
  auto returned = message.state().envelope.initReturned();
  returned.setPool(1);
  returned.setOffset(0);
  server_.transport->Inject(ToFrame(std::move(message)));
  executor_.Run();
  ASSERT_TRUE(server_.end);
  EXPECT_EQ(server_.end->code(), StatusCode::kMalformed);
  EXPECT_THAT(server_.end->message(), HasSubstr("was not lent"));
}

TEST_F(SharedMemoryTest, SizesThatCannotBeAreRefusedWhereTheyAreAskedFor) {
  EXPECT_EQ(WritableMemory::Create(0).error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(SharedMemoryPool::Create(0, 1).error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(SharedMemoryPool::Create(1, 0).error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(SharedMemoryPool::Create(SIZE_MAX / 2, 3).error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace lwmsg::test
