#include "tests/conformance/pair.h"

#include <gmock/gmock.h>

#include <chrono>
#include <numeric>

// LWMsg's assoc tests 1 to 8: messages, tokens and descriptors.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

TEST_F(ConformancePair, C01_EmptySendRecv) {
  Start();
  // Each way: the server's Notify comes inside the client's call.
  auto call_back = target().CallBack();
  call_back->setRounds(1);
  auto reply = call_back.Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_THAT(listener_.notified, ElementsAre(1));
  auto empty = target().Foo().Sync();
  ASSERT_TRUE(empty) << empty.error();
  EXPECT_EQ(empty->getNumbers().size(), 0U);
  EXPECT_EQ(empty->getText().size(), 0U);
  EXPECT_TRUE(target().Ping().Sync());
}

// Sends a Foo of that many numbers and checks what comes back.
void FooComesBack(const conformance::TargetClient& target, uint32_t count) {
  auto foo = target.Foo();
  foo->setText("foo");
  auto numbers = foo->initNumbers(count);
  for (uint32_t i = 0; i < count; ++i) numbers.set(i, uint64_t{i} * 1'000'003);
  auto reply = foo.Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(std::string(reply->getText()), "foo");
  ASSERT_EQ(reply->getNumbers().size(), count);
  for (uint32_t i = 0; i < count; ++i) {
    ASSERT_EQ(reply->getNumbers()[i], uint64_t{i} * 1'000'003);
  }
}

TEST_F(ConformancePair, C02_FooSendRecv) {
  Start();
  FooComesBack(target(), 1024);
}

TEST_F(ConformancePair, C03_FooSendRecvFragment) {
  // LWMsg's packet size; here a message has one frame, and the socket takes it in pieces.
  for (const OsHandle* end : {&ends_.first, &ends_.second}) LimitBuffer(*end, 4096);
  Start();
  FooComesBack(target(), 100'000);
}

// A call whose server never speaks ends at its deadline, and the client closes.
void EndsAtItsDeadline(BlockingClient& client) {
  auto ping = conformance::TargetClient(client).Ping();
  ping.set_timeout(milliseconds(50));
  const auto begin = std::chrono::steady_clock::now();
  auto reply = ping.Sync();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), StatusCode::kDeadlineExceeded) << reply.error();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(50));
  client.Close();
  EXPECT_EQ(conformance::TargetClient(client).Ping().Sync().error().code(),
            StatusCode::kUnavailable);
}

// Differs: there is no timeout for establishing; the deadline is the call's.
TEST_F(ConformancePair, C04_FooSendTimeoutConnectPair) {
  BlockingClient client(std::move(ends_.second));
  EndsAtItsDeadline(client);
}

// Differs: as C04.
TEST_F(ConformancePair, C05_FooSendTimeoutConnectEndpoint) {
  const TemporaryFolder folder;
  const OsHandle listener = ListenPlainly(folder.Endpoint());
  BlockingClient client(folder.Endpoint());
  EndsAtItsDeadline(client);
}

TEST_F(ConformancePair, C06_AuthSendRecv) {
  Start();
  auto reply = target().Whoami().Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->getEuid(), OrMinusOne(OwnUser()));
  EXPECT_EQ(reply->getEgid(), OrMinusOne(OwnGroup()));
  EXPECT_EQ(client_->peer().euid(), OwnUser());
  EXPECT_EQ(client_->peer().egid(), OwnGroup());
}

TEST_F(ConformancePair, C07_HandleStoreState) {
  Start();
  const auto state = Open("text", -5);
  EXPECT_EQ(ReadText(state), "text");
  auto read = target().ReadNumber();
  read->setState(state);
  auto number = read.Sync();
  ASSERT_TRUE(number) << number.error();
  EXPECT_EQ(number->getNumber(), -5);
  EXPECT_TRUE(Close(state).ok());
  EXPECT_EQ(Close(state).code(), StatusCode::kInvalidHandle);
}

TEST_F(ConformancePair, C08_FdSendRecv) {
  Start();
  auto read = target().ReadFile();
  read->setFile(FileWith("through a pipe"));
  auto reply = read.Sync();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(std::string(reply->getContent()), "through a pipe");

  // One that nobody takes is closed with its message: its pipe has no writer then.
  OsPipe pipe = MakeOsPipe();
  auto ignore = target().IgnoreFile();
  ignore->setFile(std::move(pipe.writer));
  ASSERT_TRUE(ignore.Sync());
  EXPECT_EQ(ReadAll(pipe.reader), "");
}

}  // namespace
}  // namespace lwmsg::test
