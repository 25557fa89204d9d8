#include <fstream>

#include "tests/multiprocess/fixture.h"

// Descriptors that travel between processes.
namespace lwmsg::test {
namespace {

class DescriptorsTest : public MultiprocessTest {
 protected:
  OsHandle OpenFileWith(const std::string& content) const {
    std::ofstream(folder_.Path("file")) << content;
    return OpenFile(folder_.Path("file"));
  }
  // How many descriptors a role "serve" has open.
  static std::string CountOf(Process& server) {
    server.Tell("count");
    return server.ReadLine();
  }
};

TEST_F(DescriptorsTest, SentFileIsTheSameOpenFile) {
  Process server("serve", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "ready");
  const OsHandle file = OpenFileWith("0123456789");
  ASSERT_EQ(ReadSome(file, 3), "012");
  BlockingClient client(folder_.Endpoint());
  auto give = sample::SampleClient(client).Give();
  give->setFirst(*file.Duplicate());
  auto reply = give.Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->getContent(), "3456789");
  EXPECT_EQ(PositionOf(file), 10U) << "the server read another open file";
}

TEST_F(DescriptorsTest, ReceivedFileIsTheNamedOneAndCloseOnExec) {
  Process server("serve", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "ready");
  {
    OpenFileWith("content");
  }
  BlockingClient client(folder_.Endpoint());
  auto request = sample::SampleClient(client).Open();
  request->setPath(folder_.Path("file"));
  auto reply = request.Sync();
  ASSERT_TRUE(reply) << reply.error();
  auto file = reply->takeFile();
  ASSERT_TRUE(file) << file.error();
  EXPECT_FALSE(IsInherited(file->get()));
  EXPECT_EQ(ReadAll(*file), "content");
}

TEST_F(DescriptorsTest, SharedMemoryIsReadByTheOtherProcess) {
  Process server("serve", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "ready");
  BlockingClient client(folder_.Endpoint());
  sample::SampleClient sample(client);
  auto pool = SharedMemoryPool::Create(size_t{1} << 20, 4);
  ASSERT_TRUE(pool) << pool.error();
  size_t own = 0;
  for (int i = 0; i < 20; ++i) {
    for (const bool of_pool : {true, false}) {
      auto memory = of_pool ? pool->Take() : WritableMemory::Create(1 << 20);
      ASSERT_TRUE(memory) << memory.error();
      for (std::byte& byte : memory->bytes()) byte = static_cast<std::byte>(i);
      auto share = sample.Share();
      share->setMemory(std::move(*memory));
      auto reply = share.Sync();
      ASSERT_TRUE(reply) << reply.error();
      EXPECT_EQ(reply->getSum(), uint64_t(i) << 20);
    }
    auto render = sample.Render();
    render->setSize(1000);
    auto reply = render.Sync();
    ASSERT_TRUE(reply) << reply.error();
    auto memory = reply->takeMemory();
    ASSERT_TRUE(memory) << memory.error();
    EXPECT_EQ(memory->bytes()[999], std::byte{999 % 256});
    if (i == 1) own = OpenDescriptors().size();
  }
  EXPECT_EQ(OpenDescriptors().size(), own);
  ASSERT_TRUE(sample.Nothing().Sync());
  EXPECT_EQ(pool->free_places(), 4U);
}

TEST_F(DescriptorsTest, ThousandThatTravelLeaveBothTablesAsTheyWere) {
  Process server("serve", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "ready");
  BlockingClient client(folder_.Endpoint());
  sample::SampleClient sample(client);
  ASSERT_TRUE(sample.Nothing().Sync());
  const std::string before = CountOf(server);
  const size_t own = OpenDescriptors().size();
  for (int i = 0; i < 500; ++i) {
    auto give = sample.Give();
    give->setFirst(FileWith("a"));
    ASSERT_EQ(give.Sync()->getContent(), "a");
    auto request = sample.Open();
    request->setPath(NullPath());
    auto reply = request.Sync();
    ASSERT_TRUE(reply && reply->takeFile().has_value());
  }
  EXPECT_EQ(OpenDescriptors().size(), own);
  ASSERT_TRUE(sample.Nothing().Sync());  // What the server did for the last call is done.
  EXPECT_EQ(CountOf(server), before);
}

TEST_F(DescriptorsTest, ThoseThatNobodyTakesAreClosedOnBothSides) {
  Process server("serve", {EndpointArgument()});
  ASSERT_EQ(server.ReadLine(), "ready");
  BlockingClient client(folder_.Endpoint());
  sample::SampleClient sample(client);
  ASSERT_TRUE(sample.Nothing().Sync());
  const std::string before = CountOf(server);
  const size_t own = OpenDescriptors().size();
  auto request = sample.Open();
  request->setPath(NullPath());
  ASSERT_TRUE(request.Sync());
  ASSERT_TRUE(sample.Nothing().Sync());
  EXPECT_EQ(OpenDescriptors().size(), own);
  EXPECT_EQ(CountOf(server), before);
}

}  // namespace
}  // namespace lwmsg::test
