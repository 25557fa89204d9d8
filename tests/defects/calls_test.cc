#include <algorithm>

#include "tests/defects/fixture.h"

// A: calls that hang or go wrong without any attacker.
namespace lwmsg::test {
namespace {

TEST_F(Defects, A01_RequestThatFailsItsCheckIsAnswered) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  std::string frame = EchoFrame(1, "text");
  BreakPointer(frame, 2);
  peer.Write(frame);
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kMalformed, {"Sample.echo", "text"}));
  EXPECT_EQ(Echo(peer, 2), Status());
}

TEST_F(Defects, A01_BadHandleAndMissingHandlerAreAnswered) {
  Serve();
  ForBoth([this](const std::string& endpoint) {
    Client client(loop_, endpoint);
    EXPECT_EQ(StatusOf(sample::SampleClient(client).Use()).code(), StatusCode::kInvalidHandle);
    EXPECT_TRUE(Says(StatusOf(sample::ListenerClient(client).Notify()), StatusCode::kUnimplemented,
                     {"is not served here"}));
    EXPECT_EQ(Echo(client), Status());
  });
}

TEST_F(Defects, A02_CallbacksGoOnAfterTheFirstRound) {
  Serve();
  ForBoth([this](const std::string& endpoint) {
    ListenerService listener;
    Client client(loop_, endpoint);
    ASSERT_EQ(client.Serve(listener), Status());
    for (int i = 0; i < 3; ++i) {
      auto call = sample::SampleClient(client).CallBack();
      call->setRounds(5);
      EXPECT_EQ(StatusOf(std::move(call)), Status());
    }
    EXPECT_EQ(listener.count, 15U);
  });
}

TEST_F(Defects, A03_PrintingAndTracingMoveNoHandles) {
  std::string trace;
  ServerOptions options;
  options.log = Log([&trace](LogLevel, std::string_view line) { trace += line; }, LogLevel::kTrace);
  Serve(std::move(options));
  ForBoth([this](const std::string& endpoint) {
    Client client(loop_, endpoint);
    std::vector<std::string> contents;
    for (const char* content : {"one", "two", "three"}) {
      auto give = sample::SampleClient(client).Give();
      give->setFirst(FileWith(content));
      const auto before = OpenDescriptors();
      EXPECT_THAT(Print(give.params().asReader()), testing::HasSubstr("first = <handle 1>"));
      EXPECT_EQ(OpenDescriptors(), before);
      give.Send([&contents](auto reply) { contents.emplace_back(reply->getContent()); });
    }
    RunUntil([&contents] { return contents.size() == 3; });
    EXPECT_THAT(contents, testing::ElementsAre("one", "two", "three"));
  });
  server_.reset();
  EXPECT_THAT(trace, testing::HasSubstr("Sample.give"));
}

TEST_F(Defects, A04_StatusOneIsAnErrorLikeAnyOtherAndCancelsNothing) {
  Serve();
  ForBoth([this](const std::string& endpoint) {
    Client client(loop_, endpoint);
    std::optional<Status> kept;
    sample::SampleClient(client).Keep().Send(
        [&kept](auto reply) { kept = reply ? Status() : reply.error(); });
    auto fail = sample::SampleClient(client).Fail();
    fail->setCode(1);
    fail->setText("status one");
    const Status status = StatusOf(std::move(fail));
    EXPECT_EQ(static_cast<int>(status.code()), 1);
    EXPECT_EQ(status.message(), "status one");
    ASSERT_EQ(sample_.kept.size(), 1U);
    EXPECT_FALSE(sample_.kept[0].cancelled());
    sample_.kept[0].Reply();
    RunUntil([&kept] { return kept.has_value(); });
    EXPECT_EQ(kept, Status());
    sample_.kept.clear();
  });
}

TEST_F(Defects, A05_CallThatIsCancelledBeforeItIsSentCompletes) {
  Serve();
  ForBoth([this](const std::string& endpoint) {
    Client client(loop_, endpoint);
    int answers = 0;
    std::optional<Status> status;
    auto pending = sample::SampleClient(client).Keep().Send([&](auto reply) {
      ++answers;
      status = reply ? Status() : reply.error();
    });
    pending.Cancel();
    pending.Cancel();
    RunUntil([&status] { return status.has_value(); });
    EXPECT_EQ(status->code(), StatusCode::kCancelled);
    EXPECT_EQ(Echo(client), Status());
    EXPECT_EQ(answers, 1);
    sample_.kept.clear();
  });
}

TEST_F(Defects, A06_NothingIsSentTwiceWhenTheConnectionIsLost) {
  Serve();
  ForBoth([this](const std::string& endpoint) {
    ClientOptions options;
    options.reconnect = Reconnect::kOnNextCall;
    Client client(loop_, endpoint, std::move(options));
    std::optional<Status> lost;
    sample::SampleClient(client).Keep().Send(
        [&lost](auto reply) { lost = reply ? Status() : reply.error(); });
    RunUntil([this] { return sample_.kept.size() == 1; });
    server_->Stop();
    RunUntil([&lost] { return lost.has_value(); });
    EXPECT_EQ(lost->code(), StatusCode::kUnavailable);
    ASSERT_EQ(server_->Listen(endpoint), Status());
    EXPECT_EQ(Echo(client), Status());
    EXPECT_EQ(sample_.kept.size(), 1U);
    sample_.kept.clear();
    server_->Stop();
    RunUntil([this] { return server_->association_count() == 0; });
    Serve();
  });
}

TEST_F(Defects, A08_SessionThatItsConstructorRefusedLeavesNothing) {
  int asked = 0;
  ServerOptions options;
  options.on_session = [&asked](NewSession session) {
    ++asked;
    session.Refuse({StatusCode::kPermissionDenied, "members only"});
  };
  Serve(std::move(options));
  ForBoth([this](const std::string& endpoint) {
    EXPECT_TRUE(Says(EchoAt(endpoint), StatusCode::kPermissionDenied, {"members only"}));
  });
  EXPECT_EQ(asked, 2);
  RunUntil([this] { return server_->association_count() == 0; });
  server_->Stop();
  server_.reset();
}

TEST_F(Defects, A09_CallThatIsNeverAnsweredHoldsNoServer) {
  Serve();
  ForBoth([this](const std::string& endpoint) {
    Client client(loop_, endpoint);
    std::optional<Status> ended;
    sample::SampleClient(client).Keep().Send(
        [&ended](auto reply) { ended = reply ? Status() : reply.error(); });
    RunUntil([this] { return sample_.kept.size() == 1; });
    server_.reset();
    RunUntil([&ended] { return ended.has_value(); });
    EXPECT_EQ(ended->code(), StatusCode::kUnavailable);
    EXPECT_TRUE(sample_.kept[0].cancelled());
    sample_.kept.clear();
    Serve();
  });
}

TEST_F(Defects, A13_HandlerMayAnswerTheCallThatIsCancelled) {
  Serve();
  sample_.on_keep = [this] {
    sample_.kept.back().OnCancel(
        [this] { sample_.kept.back().Fail(StatusCode::kCancelled, "stopped"); });
  };
  ForBoth([this](const std::string& endpoint) {
    Client client(loop_, endpoint);
    std::optional<Status> status;
    auto pending = sample::SampleClient(client).Keep().Send(
        [&status](auto reply) { status = reply ? Status() : reply.error(); });
    RunUntil([this] { return sample_.kept.size() == 1; });
    pending.Cancel();
    RunUntil([&] { return status && sample_.kept[0].cancelled() == false; });
    EXPECT_EQ(status->code(), StatusCode::kCancelled);
    EXPECT_EQ(Echo(client), Status());
    sample_.kept.clear();
  });
}

TEST_F(Defects, A14_EachStatusHasAName) {
  std::vector<std::string> names;
  for (uint16_t code = 0; code <= static_cast<uint16_t>(StatusCode::kInternal); ++code) {
    names.emplace_back(StatusCodeName(static_cast<StatusCode>(code)));
    EXPECT_NE(names.back(), "");
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

TEST_F(Defects, A14_HandleOfNothingIsInvalidAndHoldsNoLock) {
  Serve();
  ForBoth([this](const std::string& endpoint) {
    Client client(loop_, endpoint);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(StatusOf(sample::SampleClient(client).Use()).code(), StatusCode::kInvalidHandle);
      EXPECT_EQ(StatusOf(sample::SampleClient(client).Make()), Status());
    }
  });
}

}  // namespace
}  // namespace lwmsg::test
