#include "tests/defects/fixture.h"
#include "tests/hostile/posix/raw_descriptors.h"

// B and S: descriptors as sockets carry them.
namespace lwmsg::test {
namespace {

TEST_F(Defects, B01_MoreHandlesThanTheKernelPassesAreRefusedAndNotSent) {
  Limits limits;
  limits.max_frame_handles = 1000;
  Serve(With(limits));
  ForBoth([&](const std::string& endpoint) {
    ClientOptions options;
    options.limits = limits;
    Client client(loop_, endpoint, std::move(options));
    ASSERT_EQ(Echo(client), Status());
    for (uint32_t count : {254U, 256U, 257U}) {
      EXPECT_TRUE(Says(StatusOf(CollectFiles(client, count)), StatusCode::kResourceExhausted,
                       {"Sample.collect", std::to_string(count), "takes 253"}));
    }
    EXPECT_EQ(StatusOf(CollectFiles(client, 253)), Status());
    EXPECT_EQ(Echo(client), Status());
  });
}

TEST_F(Defects, B05_SurplusDescriptorsAreClosed) {
  Serve();
  const auto before = OpenDescriptors().size();
  const auto files = SomeFiles(200);
  for (int i = 0; i < 3; ++i) {
    RawPeer peer = ConnectAndGreet();
    WriteWith(peer, EchoFrame(1, "text"), files);
    EXPECT_TRUE(Says(GoodbyeTo(peer), StatusCode::kMalformed, {"OS handles"}));
  }
  RunUntil([this] { return server_->association_count() == 0; });
  EXPECT_EQ(OpenDescriptors().size(), before + files.size());
}

TEST_F(Defects, S05_HandleOfAMessageWithoutAFieldForItReachesNoOther) {
  Serve();
  RawPeer peer = ConnectAndGreet();
  const auto files = SomeFiles(1);
  WriteWith(
      peer,
      CallFrame(
          1, kEcho,
          [](auto params) { params.template initAs<sample::Sample::EchoParams>().setText("x"); },
          1),
      files);
  EXPECT_TRUE(Says(AnswerTo(peer, 1), StatusCode::kMalformed, {"no field for them"}));
  peer.Write(GiveFrame(2, 1, 0, 0));
  EXPECT_TRUE(Says(AnswerTo(peer, 2), StatusCode::kMalformed, {"Sample.give"}));
  EXPECT_EQ(Echo(peer, 3), Status());
}

}  // namespace
}  // namespace lwmsg::test
