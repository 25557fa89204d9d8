#include "tests/defects/fixture.h"

// B: crashes and exhaustion by any local client.
namespace lwmsg::test {
namespace {

TEST_F(Defects, B02_MethodThatIsNotThereIsAnswered) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  for (const uint16_t method : {uint16_t{26}, uint16_t{255}, uint16_t{65535}}) {
    const uint32_t id = method;
    peer.Write(CallFrame(id, method));
    EXPECT_TRUE(Says(AnswerTo(peer, id), StatusCode::kUnimplemented, {"Sample has no method"}));
  }
  EXPECT_EQ(Echo(peer, 1), Status());
  Client direct(loop_, Direct());
  EXPECT_EQ(StatusOf(sample::ListenerClient(direct).Notify()).code(), StatusCode::kUnimplemented);
  EXPECT_EQ(Echo(direct), Status());
}

TEST_F(Defects, B03_DeepMessagesFailTheirCall) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  peer.Write(CollectFrame(1, std::vector<uint32_t>(1000, 1)));
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kMalformed, {"Sample.collect"}));
  EXPECT_EQ(Echo(peer, 2), Status());
  ForBoth([this](const std::string& endpoint) {
    Client client(loop_, endpoint);
    auto collect = sample::SampleClient(client).Collect();
    auto items = collect->initItems(1);
    for (int depth = 0; depth < 1000; ++depth) items = items[0].initChildren(1);
    EXPECT_NE(StatusOf(std::move(collect)), Status());
    EXPECT_EQ(Echo(client), Status());
  });
}

TEST_F(Defects, B04_SizeThatIsNotTrueCostsNothing) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  std::string frame = EchoFrame(1, "text");
  PutNumber(frame, 4, ~0U);
  peer.Write(frame);
  EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed,
                   {"34359738360 bytes", "Limits::max_frame_bytes"}));
  EXPECT_EQ(EchoAt(folder_.Endpoint()), Status());
}

TEST_F(Defects, B06_CallsAndObjectsOfOnePeerAreBounded) {
  Limits limits;
  limits.max_calls = 4;
  limits.max_objects = 3;
  Serve(With(limits));
  RawPeer peer = ConnectAndGreet();
  std::string frames;
  for (uint32_t id = 1; id <= 5; ++id) frames += CallFrame(id, kKeep);
  peer.Write(frames);
  EXPECT_TRUE(Says(AnswerTo(peer, 5), StatusCode::kResourceExhausted, {"Limits::max_calls"}));
  sample_.kept.clear();
  ForBoth([this](const std::string& endpoint) {
    Client client(loop_, endpoint);
    std::vector<Handle<sample::Object>> objects;
    for (int i = 0; i < 3; ++i) {
      auto made = Answer(sample::SampleClient(client).Make());
      ASSERT_TRUE(made) << made.error();
      objects.push_back(*made->takeObject());
    }
    EXPECT_TRUE(Says(StatusOf(sample::SampleClient(client).Make()), StatusCode::kResourceExhausted,
                     {"Limits::max_objects"}));
    objects.clear();
    EXPECT_EQ(StatusOf(sample::SampleClient(client).Make()), Status());
  });
}

TEST_F(Defects, B07_ReplyThatCannotBeSentLeavesNoHandlesBehind) {
  Serve();
  ForBoth([this](const std::string& endpoint) {
    ClientOptions options;
    options.limits.max_frame_handles = 2;
    Client client(loop_, endpoint, std::move(options));
    EXPECT_TRUE(Says(StatusOf(CollectFiles(client, 3)), StatusCode::kResourceExhausted,
                     {"Sample.collect", "3 OS handles", "takes 2"}));
    auto give = sample::SampleClient(client).Give();
    give->setFirst(FileWith("mine"));
    auto answer = Answer(std::move(give));
    ASSERT_TRUE(answer) << answer.error();
    EXPECT_EQ(std::string(answer->getContent()), "mine");
    auto collected = Answer(CollectFiles(client, 2));
    ASSERT_TRUE(collected) << collected.error();
    EXPECT_EQ(collected->getItems().size(), 2U);
  });
}

TEST_F(Defects, B09_PeerThatNeverGreetsLosesItsPlace) {
  Limits limits;
  limits.hello_timeout = std::chrono::milliseconds(20);
  Serve(With(limits));
  RawPeer peer = Connect();
  EXPECT_TRUE(
      Says(GoodbyeTo(peer), StatusCode::kDeadlineExceeded, {"hello", "Limits::hello_timeout"}));
  RunUntil([this] { return server_->association_count() == 0; });
}

}  // namespace
}  // namespace lwmsg::test
