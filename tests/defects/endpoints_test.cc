#include "tests/defects/fixture.h"
#include "tests/support/system.h"

// A, B and S: listening, connecting and making room.
namespace lwmsg::test {
namespace {

TEST_F(Defects, A07_AdoptedPeersTakeAndGiveBackTheirPlace) {
  Limits limits;
  limits.max_associations = 2;
  Serve(With(limits));
  for (int i = 0; i < 5; ++i) {
    auto pair = MakePairHere();
    ASSERT_TRUE(pair);
    ASSERT_EQ(server_->Adopt(std::move(pair->first)), Status());
    {
      Client client(loop_, std::move(pair->second));
      EXPECT_EQ(Echo(client), Status());
      EXPECT_EQ(server_->association_count(), 1U);
    }
    RunUntil([this] { return server_->association_count() == 0; });
  }
  ForBoth([this](const std::string& endpoint) { EXPECT_EQ(EchoAt(endpoint), Status()); });
}

TEST_F(Defects, A10_SecondServerAtAnEndpointIsRefusedAndHarmsNothing) {
  Serve();
  {
    Server second(loop_);
    ASSERT_EQ(second.Serve(sample_), Status());
    ForBoth([&second](const std::string& endpoint) {
      EXPECT_EQ(second.Listen(endpoint).code(), StatusCode::kAlreadyExists);
    });
    second.Stop();
  }
  ForBoth([this](const std::string& endpoint) { EXPECT_EQ(EchoAt(endpoint), Status()); });
}

TEST_F(Defects, A11_ClientWithoutEndpointsFailsEachCall) {
  for (const char* endpoints : {"", ",", "nonsense"}) {
    Client client(loop_, endpoints);
    EXPECT_TRUE(
        Says(StatusOf(sample::SampleClient(client).Echo()), StatusCode::kInvalidArgument, {}))
        << endpoints;
  }
}

TEST_F(Defects, A12_ClientThatMakesRoomIsToldSo) {
  Limits limits;
  limits.max_associations = 1;
  limits.idle_timeout = std::chrono::milliseconds(10);
  Serve(With(limits));
  std::optional<Status> end;
  ClientOptions options;
  options.on_end = [&end](const Status& reason) { end = reason; };
  Client idle(loop_, folder_.Endpoint(), std::move(options));
  ASSERT_EQ(Echo(idle), Status());
  EXPECT_EQ(EchoAt(folder_.Endpoint()), Status());
  RunUntil([&end] { return end.has_value(); });
  EXPECT_TRUE(Says(end, StatusCode::kUnavailable, {"evicted", "to make room"}));
}

}  // namespace
}  // namespace lwmsg::test
