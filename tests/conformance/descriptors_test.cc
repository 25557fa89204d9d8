#include <gmock/gmock.h>

#include <mutex>
#include <string>
#include <vector>

#include "tests/conformance/mode.h"

// What LWMsg's tests did not cover: open files.
namespace lwmsg::test {
namespace {

using ::testing::HasSubstr;

class DescriptorsNotCoveredBefore : public ModeTest {
 protected:
  // A request with that many pipes; each has its number to read.
  static conformance::TargetClient::FilesRequest FilesRequest(const BlockingClient& client,
                                                              uint32_t count) {
    auto request = conformance::TargetClient(client).Files();
    auto files = request->initFiles(count);
    for (uint32_t i = 0; i < count; ++i) {
      request.Put(files[i].getFile(), FileWith(std::to_string(i)));
    }
    return request;
  }
};
INSTANTIATE_TEST_SUITE_P(Conformance, DescriptorsNotCoveredBefore,
                         ::testing::Values(Mode::kLocal, Mode::kDirect, Mode::kPair), ModeName);

TEST_P(DescriptorsNotCoveredBefore, SeveralInAListGoBothWays) {
  Start();
  auto client = NewBlockingClient();
  const uint32_t count = Limits().max_frame_handles;
  auto reply = FilesRequest(*client, count).Sync();
  ASSERT_TRUE(reply) << reply.error();
  ASSERT_EQ(reply->getFiles().size(), count);
  for (uint32_t i = 0; i < count; ++i) {
    auto file = reply->Take(reply->getFiles()[i].getFile());
    ASSERT_TRUE(file) << file.error();
    EXPECT_EQ(ReadAll(*file), std::to_string(count - 1 - i));
  }
  EXPECT_EQ(reply->Take(reply->getFiles()[0].getFile()).error().code(),
            StatusCode::kFailedPrecondition)
      << "taken before";
}

TEST_P(DescriptorsNotCoveredBefore, BeyondTheLimitFailOneCall) {
  Start();
  auto client = NewBlockingClient();
  ASSERT_EQ(Ping(*client), Status());
  auto reply = FilesRequest(*client, Limits().max_frame_handles + 1U).Sync();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), StatusCode::kResourceExhausted) << reply.error();
  EXPECT_THAT(reply.error().message(), HasSubstr("Limits::max_frame_handles"));
  EXPECT_EQ(Ping(*client), Status());
}

TEST_P(DescriptorsNotCoveredBefore, FieldWithoutOneIsNotFound) {
  Start();
  auto client = NewBlockingClient();
  auto read = conformance::TargetClient(*client).ReadFile();
  EXPECT_EQ(read.Sync().error().code(), StatusCode::kNotFound);
}

// DIRECT has no system call that would look at it.
class SocketDescriptorsNotCoveredBefore : public DescriptorsNotCoveredBefore {};
INSTANTIATE_TEST_SUITE_P(Conformance, SocketDescriptorsNotCoveredBefore,
                         ::testing::Values(Mode::kLocal, Mode::kPair), ModeName);

TEST_P(SocketDescriptorsNotCoveredBefore, NumberThatIsNoDescriptorReachesNoHandler) {
  Start();
  auto client = NewBlockingClient();
  auto read = conformance::TargetClient(*client).ReadFile();
  read->setFile(OsHandle(NumberOfNothing()));
  auto reply = read.Sync();
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().ToString(),
              ::testing::AnyOf(HasSubstr("descriptor"), HasSubstr("handle")));
}

TEST_P(DescriptorsNotCoveredBefore, ReceivedOnesAreCloseOnExec) {
  Start();
  auto client = NewBlockingClient();
  auto files = conformance::TargetClient(*client).Files();
  OsPipe pipe = MakeOsPipe();
  MakeInherited(pipe.reader);
  files.Put(files->initFiles(1)[0].getFile(), std::move(pipe.reader));
  auto reply = files.Sync();
  ASSERT_TRUE(reply) << reply.error();
  auto file = reply->Take(reply->getFiles()[0].getFile());
  ASSERT_TRUE(file) << file.error();
  EXPECT_FALSE(IsInherited(file->get()));
}

TEST_P(DescriptorsNotCoveredBefore, TraceLogLeavesThemToTheirMessages) {
  std::mutex mutex;
  std::vector<std::string> lines;
  const Log log(
      [&](LogLevel, std::string_view line) {
        const std::lock_guard lock(mutex);
        lines.emplace_back(line);
      },
      LogLevel::kTrace);
  Start([log] { return ServerOptions{.log = log}; });
  auto client = NewBlockingClient(ClientOptions{.log = log});
  // Several calls are under way at once, each with its own.
  std::vector<std::string> contents;
  for (int i = 0; i < 8; ++i) {
    auto read = conformance::TargetClient(*client).ReadFile();
    read->setFile(FileWith("file " + std::to_string(i)));
    read.Send([&contents, i](const auto& reply) {
      ASSERT_TRUE(reply) << reply.error();
      EXPECT_EQ(std::string(reply->getContent()), "file " + std::to_string(i));
      contents.emplace_back(reply->getContent());
    });
  }
  EXPECT_EQ(Ping(*client), Status());
  EXPECT_EQ(contents.size(), 8U);
  client.reset();
  host_.reset();  // It logs until it has gone.
  const std::lock_guard lock(mutex);
  EXPECT_THAT(lines, ::testing::Contains(HasSubstr("Target.readFile")));
}

}  // namespace
}  // namespace lwmsg::test
