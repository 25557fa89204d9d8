#include <sys/socket.h>

#include <cerrno>
#include <chrono>

#include "runtime/closer.h"
#include "runtime/posix/socket_options.h"
#include "tests/hostile/fixture.h"
#include "tests/hostile/posix/raw_descriptors.h"
#include "tests/support/posix/lingering_sockets.h"

// Descriptors where no interface has any (T17, T18), and those that are slow to close (T28).
namespace lwmsg::test {
namespace {

bool KernelCanRefuse() {
  const OsHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int no = 0;
  return setsockopt(socket.get(), SOL_SOCKET, internal::kSoPassRights, &no, sizeof(no)) == 0;
}

// A server whose only interface has neither handles nor objects.
class NoRightsTest : public HostilePeerTest {
 protected:
  NoRightsTest() {
    EXPECT_EQ(serving_.Serve(listener_), Status());
    EXPECT_EQ(serving_.Listen(folder_.Endpoint()), Status());
  }

  ListenerService listener_;
  Server serving_{loop_};
};

TEST_F(NoRightsTest, T17_TheKernelRefusesThemAndNothingElse) {
  if (!KernelCanRefuse()) GTEST_SKIP() << "no SO_PASSRIGHTS before Linux 6.16";
  const auto files = SomeFiles(1);
  // Also before it is accepted.
  RawPeer peer = Connect();
  EXPECT_EQ(TryToWriteWith(peer, HelloFrame(), files), EPERM);
  peer.Write(HelloFrame());
  RunUntil([&] {
    peer.Read();
    return !peer.frames().empty();
  });
  EXPECT_EQ(TryToWriteWith(peer, GiveFrame(9, 1, 0, 1), files), EPERM);
  peer.Write(EchoFrame(10, "text"));
  EXPECT_TRUE(Says(AnswerTo(peer, 10), StatusCode::kUnimplemented, {}));
}

TEST_F(NoRightsTest, T17_ACallThatHasSomeFailsAloneAndIsToldWhy) {
  if (!KernelCanRefuse()) GTEST_SKIP() << "no SO_PASSRIGHTS before Linux 6.16";
  Client client(loop_, folder_.Endpoint());
  sample::SampleClient sample(client);
  sample::ListenerClient listener(client);
  std::optional<Status> gave;
  std::optional<Status> notified;
  auto give = sample.Give();
  give->setFirst(std::move(SomeFiles(1)[0]));
  give.Send([&](auto reply) { gave = reply ? Status() : reply.error(); });
  listener.Notify().Send([&](auto reply) { notified = reply ? Status() : reply.error(); });
  RunUntil([&] { return gave && notified; });
  EXPECT_TRUE(Says(gave, StatusCode::kPermissionDenied,
                   {"Sample.give", "the peer takes none (SO_PASSRIGHTS)"}));
  EXPECT_EQ(notified, Status());
}

TEST_F(NoRightsTest, T17_TheyMayComeOnceAServiceTakesSome) {
  ASSERT_EQ(serving_.Serve(sample_), Status());
  RawPeer peer = ConnectAndGreet();
  WriteWith(peer, GiveFrame(9, 1, 2, 2), SomeFiles(2));
  EXPECT_EQ(AnswerTo(peer, 9), Status());
  serving_.Stop();
}

// As from a kernel that cannot refuse them.
TEST_F(NoRightsTest, T18_ThoseThatArriveEndTheAssociation) {
  auto pair = MakePair();
  ASSERT_TRUE(pair);
  auto kept = pair->second.Duplicate();
  ASSERT_TRUE(kept);
  ASSERT_EQ(serving_.Adopt(std::move(pair->second)), Status());
  const int yes = 1;
  setsockopt(kept->get(), SOL_SOCKET, internal::kSoPassRights, &yes, sizeof(yes));
  kept->Close();
  RawPeer peer{RawStream(std::move(pair->first))};
  peer.Write(HelloFrame());
  WriteWith(peer, GiveFrame(9, 1, 0, 1), SomeFiles(1));
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kPermissionDenied, {"1 OS handles"}));
}

TEST_F(NoRightsTest, T17_TheKernelRefusesThemOnTheWayToAClientToo) {
  if (!KernelCanRefuse()) GTEST_SKIP() << "no SO_PASSRIGHTS before Linux 6.16";
  auto pair = MakePairHere();
  ASSERT_TRUE(pair);
  RawPeer server{RawStream(std::move(pair->first))};
  Client client(loop_, std::move(pair->second));
  std::optional<Status> status;
  sample::ListenerClient(client).Notify().Send(
      [&](auto reply) { status = reply ? Status() : reply.error(); });
  RunUntil([&] {
    server.Read();
    return server.frames().size() == 2;  // Its hello, and the call.
  });
  const auto files = SomeFiles(1);
  const std::string reply = ReplyFrame(kFirstCallId, [](auto results) {
    results.template initAs<sample::Listener::NotifyResults>();
  });
  EXPECT_EQ(TryToWriteWith(server, HelloFrame() + reply, files), EPERM);
  server.Write(HelloFrame() + reply);
  RunUntil([&] { return status.has_value(); });
  EXPECT_EQ(status, Status());
}

// A service manager's, say. The kernel let them pass when they were sent.
TEST_F(NoRightsTest, T18_ThoseOfAClientThatWasThereBeforeTheServerEndItsAssociation) {
  const std::string endpoint = folder_.Endpoint("given");
  OsHandle listening = ListenPlainly(endpoint);
  RawPeer early = RawPeer::ConnectTo(endpoint);
  ASSERT_EQ(TryToWriteWith(early, HelloFrame(), SomeFiles(1)), 0);
  ASSERT_EQ(serving_.ListenOn(std::move(listening)), Status());
  EXPECT_TRUE(Says(GoodbyeTo(early), StatusCode::kMalformed, {"but 1 came"}));
}

TEST_F(NoRightsTest, T17_TheyAreLetThroughForAnInterfaceThatCameAfterTheClient) {
  RawPeer early = ConnectAndGreet();
  SampleService sample;
  ASSERT_EQ(serving_.Serve(sample), Status());
  ASSERT_EQ(Echo(early, 1), Status());
  WriteWith(early, GiveFrame(9, 1, 2, 2), SomeFiles(2));
  EXPECT_EQ(AnswerTo(early, 9), Status());
}

class SlowToCloseTest : public HostilePeerTest {
 protected:
  // A socket whose last close waits for longer than RunUntil does: where the loop closes it, the
  // test fails in what it runs the loop for.
  std::vector<OsHandle> Lingering() {
    std::vector<OsHandle> socket;
    socket.push_back(sockets_.New());
    EXPECT_TRUE(socket[0].valid());
    begin_ = std::chrono::steady_clock::now();
    return socket;
  }

  // And ends the association. The kernel reads no two sets of handles at a time.
  static void WriteWhatIsReadAlone(const RawPeer& peer) {
    WriteWith(peer, std::string(kHeaderBytes, 'x'), SomeFiles(1));
  }

  void ExpectOthersAreServed() {
    EXPECT_EQ(Echo(*bystander_), Status());
    EXPECT_LT(std::chrono::steady_clock::now() - begin_, kLinger);
  }

  void TearDown() override {
    HostilePeerTest::TearDown();
    sockets_.CloseOtherEnds();
  }

 private:
  static constexpr std::chrono::seconds kLinger{40};

  LingeringSockets sockets_{kLinger};
  std::chrono::steady_clock::time_point begin_;
};

TEST_F(SlowToCloseTest, T28_AHandleThatNobodyTakesDoesNotHoldTheLoop) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  {
    auto handles = Lingering();
    WriteWith(peer, CallFrame(9, 999, {}, 1), handles);
    handles.clear();
  }
  EXPECT_TRUE(Says(AnswerTo(peer, 9), StatusCode::kUnimplemented, {"999"}));
  ExpectOthersAreServed();
}

TEST_F(SlowToCloseTest, T28_ARefusedFrameDoesNotHoldTheLoop) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  WriteWith(peer, "no frame, but with a handle", Lingering());
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {}));
  ExpectOthersAreServed();
}

TEST_F(SlowToCloseTest, T28_WhatIsLeftInAConnectionThatEndsDoesNotHoldTheLoop) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  ASSERT_EQ(Echo(peer, 1), Status());
  const auto adopted = server_->association_count();
  WriteWhatIsReadAlone(peer);
  WriteWith(peer, "too late", Lingering());
  RunUntil([&] { return server_->association_count() < adopted; });
  ExpectOthersAreServed();
}

TEST_F(SlowToCloseTest, T28_WhatWaitsWhereNobodyTakesHandlesDoesNotHoldTheLoop) {
  ListenerService listener;
  Server server(loop_);
  ASSERT_EQ(server.Serve(listener), Status());
  const std::string endpoint = folder_.Endpoint("given");
  OsHandle listening = ListenPlainly(endpoint);
  {
    RawPeer early = RawPeer::ConnectTo(endpoint);
    WriteWhatIsReadAlone(early);
    WriteWith(early, "too late", Lingering());
    ASSERT_EQ(server.ListenOn(std::move(listening)), Status());
    EXPECT_TRUE(Says(GoodbyeTo(early), StatusCode::kMalformed, {}));
  }
  Serve();
  ExpectOthersAreServed();
}

TEST_F(SlowToCloseTest, T28_WhatClientsSentThatWereNeverAcceptedDoesNotHoldTheLoop) {
  Serve();
  for (const bool given : {false, true}) {
    const std::string endpoint = folder_.Endpoint(given ? "given" : "own");
    Server server(loop_);
    ASSERT_EQ(server.Serve(sample_), Status());
    ASSERT_EQ(given ? server.ListenOn(ListenPlainly(endpoint)) : server.Listen(endpoint), Status());
    RawPeer waiting = RawPeer::ConnectTo(endpoint);
    ASSERT_EQ(TryToWriteWith(waiting, HelloFrame(), Lingering()), 0);
    server.Stop();
    ExpectOthersAreServed();
  }
}

}  // namespace
}  // namespace lwmsg::test
