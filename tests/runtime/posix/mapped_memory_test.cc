#include "lwmsg/internal/mapped_memory.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "lwmsg/shared_memory.h"
#include "tests/support/inventory.h"

namespace lwmsg::test {
namespace {

using internal::MappedMemory;
using ::testing::HasSubstr;

constexpr size_t kBytes = 10'000;
constexpr size_t kMost = 1 << 20;
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

class MappedMemoryTest : public InventoriedTest {
 protected:
  // As a peer may have made it.
  static OsHandle Memfd(bool filled, int seals) {
    OsHandle memory(memfd_create("peer", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    EXPECT_EQ(ftruncate(memory.get(), kBytes), 0);
    if (filled) {
      EXPECT_EQ(fallocate(memory.get(), 0, 0, kBytes), 0);
    }
    EXPECT_EQ(fcntl(memory.get(), F_ADD_SEALS, seals), 0);
    return memory;
  }
  static Status Opened(const OsHandle& memory, size_t most = kMost) {
    auto mapped = MappedMemory::Open(memory, most);
    return mapped ? Status() : mapped.error();
  }
  static void ExpectCannotWrite(const OsHandle& memory) {
    EXPECT_EQ(pwrite(memory.get(), "x", 1, 0), -1);
    EXPECT_EQ(errno, EPERM);
    EXPECT_EQ(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0),
              MAP_FAILED);
    EXPECT_EQ(ftruncate(memory.get(), 1), -1);
    EXPECT_EQ(ftruncate(memory.get(), 2 * kBytes), -1);
    EXPECT_EQ(fallocate(memory.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kBytes), -1);
  }
};

TEST_F(MappedMemoryTest, ReceiverOfAPoolCanReadAndNeitherWriteNorCut) {
  auto own = MappedMemory::Create(kBytes);
  ASSERT_TRUE(own) << own.error();
  auto sent = (*own)->HandleToSend();
  ASSERT_TRUE(sent) << sent.error();
  ExpectCannotWrite(*sent);
  auto received = MappedMemory::Open(*sent, kMost);
  ASSERT_TRUE(received) << received.error();
  EXPECT_FALSE((*received)->constant());
  (*own)->bytes()[5] = std::byte{9};
  EXPECT_EQ((*received)->bytes()[5], std::byte{9});
}

TEST_F(MappedMemoryTest, T72_WhatWasSealedNobodyCanChange) {
  auto memory = WritableMemory::Create(kBytes);
  ASSERT_TRUE(memory) << memory.error();
  memory->bytes()[5] = std::byte{9};
  auto sent = memory->Seal();
  ASSERT_TRUE(sent) << sent.error();
  ExpectCannotWrite(*sent);
  auto received = MappedMemory::Open(*sent, kMost);
  ASSERT_TRUE(received) << received.error();
  EXPECT_TRUE((*received)->constant());
  EXPECT_EQ((*received)->bytes()[5], std::byte{9});
}

TEST_F(MappedMemoryTest, T76_WhatWasSentCannotBeWrittenByOpeningItAgain) {
  auto pool = MappedMemory::Create(kBytes);
  ASSERT_TRUE(pool) << pool.error();
  auto own = WritableMemory::Create(kBytes);
  ASSERT_TRUE(own) << own.error();
  for (auto& sent : {(*pool)->HandleToSend(), own->Seal()}) {
    ASSERT_TRUE(sent) << sent.error();
    // As root anybody's file can be opened again, whatever its mode.
    const OsHandle again(
        open(("/proc/self/fd/" + std::to_string(sent->get())).c_str(), O_RDWR | O_CLOEXEC));
    if (!again.valid()) {
      EXPECT_EQ(errno, EACCES);
      continue;
    }
    ExpectCannotWrite(again);
  }
}

TEST_F(MappedMemoryTest, T71_MemoryThatCouldShrinkOrBeWrittenIsRefused) {
  constexpr int kAll = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  for (const int missing : {F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, kAll}) {
    const Status opened = Opened(Memfd(true, kAll & ~missing));
    EXPECT_EQ(opened.code(), StatusCode::kMalformed) << missing;
    EXPECT_THAT(opened.message(), HasSubstr("not sealed")) << missing;
  }
  EXPECT_EQ(Opened(Memfd(true, kAll)), Status());
}

TEST_F(MappedMemoryTest, PagesBeyondTheEndFillNoHoles) {
  const OsHandle memory = Memfd(false, 0);
  ASSERT_EQ(fallocate(memory.get(), FALLOC_FL_KEEP_SIZE, 2 * kBytes, 2 * kBytes), 0);
  for (const int writing : {F_SEAL_FUTURE_WRITE, F_SEAL_WRITE}) {
    ASSERT_EQ(fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | writing), 0);
    EXPECT_THAT(Opened(memory).message(), HasSubstr("holes")) << writing;
  }
}

TEST_F(MappedMemoryTest, MemoryThatCannotBeCheckedForHolesIsRefused) {
  const OsHandle memory = Memfd(true, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  const OsHandle reader(
      open(("/proc/self/fd/" + std::to_string(memory.get())).c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(reader.valid());
  EXPECT_THAT(Opened(reader).message(), HasSubstr("open for writing"));
}

TEST_F(MappedMemoryTest, MoreThanAProcessCanSpareAreRefused) {
  const OsHandle memory = Memfd(true, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  std::vector<std::unique_ptr<MappedMemory>> mapped;
  while (mapped.size() < MappedMemory::kMost) {
    auto one = MappedMemory::Open(memory, kMost);
    ASSERT_TRUE(one) << mapped.size() << ": " << one.error();
    mapped.push_back(std::move(*one));
  }
  EXPECT_EQ(Opened(memory).code(), StatusCode::kResourceExhausted);
  mapped.pop_back();
  EXPECT_EQ(Opened(memory), Status());
}

TEST_F(MappedMemoryTest, MemoryWithHolesIsRefused) {
  const Status opened = Opened(Memfd(false, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
  EXPECT_EQ(opened.code(), StatusCode::kMalformed);
  EXPECT_THAT(opened.message(), HasSubstr("holes"));
}

TEST_F(MappedMemoryTest, T74_AsMuchAsAFileCanClaimIsRefusedAndCostsNothing) {
  const OsHandle memory(memfd_create("peer", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(memory.get(), off_t{1} << 50), 0);
  ASSERT_EQ(fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
  for (const size_t most : {kMost, size_t{1} << 50}) {
    EXPECT_THAT(Opened(memory, most).message(), HasSubstr("holes"));
  }
}

// To read them would fill them, in the reader's name.
TEST_F(MappedMemoryTest, T74_HolesAreRefusedAndNotFilled) {
  constexpr off_t kMuch = 64 << 20;
  const OsHandle memory(memfd_create("peer", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(memory.get(), kMuch), 0);
  ASSERT_EQ(pwrite(memory.get(), "x", 1, kMuch / 2), 1);
  ASSERT_EQ(fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
  EXPECT_THAT(Opened(memory, kMuch).message(), HasSubstr("holes"));
  struct stat status{};
  ASSERT_EQ(fstat(memory.get(), &status), 0);
  EXPECT_LE(status.st_blocks * 512, 1 << 16);
}

TEST_F(MappedMemoryTest, T75_FilesThatPoseAsMemoryAreRefused) {
  const TemporaryFolder folder;
  for (const std::string& path : {folder.Path("file"), "/dev/shm/" + NewName()}) {
    const OsHandle file(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.valid()) continue;  // There is no tmpfs everywhere.
    unlink(path.c_str());
    ASSERT_EQ(fallocate(file.get(), 0, 0, kBytes), 0);
    EXPECT_EQ(Opened(file).code(), StatusCode::kMalformed) << path;
  }
  const OsHandle huge(memfd_create("peer", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB));
  if (!huge.valid()) GTEST_SKIP() << "no huge pages here: " << std::strerror(errno);
  ASSERT_EQ(ftruncate(huge.get(), off_t{2} << 20), 0);
  ASSERT_EQ(fcntl(huge.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
  const Status opened = Opened(huge, size_t{4} << 20);
  EXPECT_EQ(opened.code(), StatusCode::kMalformed);
  EXPECT_THAT(opened.message(), testing::HasSubstr("plain pages"));
}

TEST_F(MappedMemoryTest, WhatIsNoMemoryIsRefused) {
  for (const char* path : {"/dev/zero", "/proc/self/exe", "/"}) {
    const OsHandle file(open(path, O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(Opened(file).code(), StatusCode::kMalformed) << path;
  }
}

TEST_F(MappedMemoryTest, MoreThanTheLimitIsRefused) {
  auto own = MappedMemory::Create(kBytes);
  const auto sent = (*own)->HandleToSend();
  EXPECT_EQ(Opened(*sent, kBytes), Status());
  EXPECT_EQ(Opened(*sent, kBytes - 1).code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace lwmsg::test
