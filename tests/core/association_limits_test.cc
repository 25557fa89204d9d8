#include <gmock/gmock.h>

#include "lwmsg/internal/message_state.h"
#include "tests/core/harness.h"

// What a peer may do, and what it gets when it does more.
namespace lwmsg::test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class AssociationLimitsTest : public AssociationTest {
 protected:
  // The reason why the server ended the association, after these frames of the client.
  Status EndAfter(std::vector<Frame> frames) {
    for (Frame& frame : frames) server_.transport->Inject(std::move(frame));
    executor_.Run();
    return server_.end.value_or(Status());
  }
};

// An accepting association whose peer is the test itself.
class RawPeerTest : public AssociationTest {
 protected:
  explicit RawPeerTest() {
    auto [end, other] = MemoryTransport::MakePair(executor_);
    transport_ = end.get();
    other_ = std::move(other);
    auto environment = std::make_shared<Association::Environment>();
    environment->limits.hello_timeout = milliseconds(200);
    Association::Config config;
    config.environment = environment;
    config.on_end = [this](const Status& status) { reason_ = status; };
    association_.emplace(executor_, std::move(end), services_, std::move(config));
    association_->Start();
  }
  static Frame HelloFrame() {
    OutgoingMessage hello;
    hello.state().envelope.initHello();
    return ToFrame(std::move(hello));
  }

  ServiceTable services_;
  MemoryTransport* transport_;
  std::unique_ptr<MemoryTransport> other_;
  std::optional<Status> reason_;
  std::optional<Association> association_;
};

TEST_F(RawPeerTest, SilentPeerIsCutAtTheHelloDeadline) {
  executor_.Advance(milliseconds(199));
  EXPECT_FALSE(reason_);
  executor_.Advance(milliseconds(1));
  ASSERT_TRUE(reason_);
  EXPECT_EQ(reason_->code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(reason_->message(), HasSubstr("200 ms, Limits::hello_timeout"));
}

TEST_F(RawPeerTest, CallBeforeHelloEndsTheAssociation) {
  transport_->Inject(CallFrame(1, sample::kSampleProtocol.id, 0));
  executor_.Run();
  ASSERT_TRUE(reason_);
  EXPECT_THAT(reason_->message(), HasSubstr("first frame is not a hello"));
}

TEST_F(RawPeerTest, SecondHelloEndsTheAssociation) {
  transport_->Inject(HelloFrame());
  executor_.Advance(milliseconds(1000));
  EXPECT_FALSE(reason_) << *reason_;
  transport_->Inject(HelloFrame());
  executor_.Run();
  ASSERT_TRUE(reason_);
  EXPECT_THAT(reason_->message(), HasSubstr("second hello"));
}

TEST_F(RawPeerTest, LongTextOfAGoodbyeIsCut) {
  transport_->Inject(HelloFrame());
  OutgoingMessage goodbye;
  goodbye.state().envelope.initGoodbye().setStatus(static_cast<uint16_t>(StatusCode::kInternal));
  goodbye.state().envelope.getGoodbye().setMessage(std::string(100'000, 'x'));
  transport_->Inject(ToFrame(std::move(goodbye)));
  executor_.Run();
  ASSERT_TRUE(reason_);
  EXPECT_THAT(reason_->message(), HasSubstr("xxx... (100000 bytes)"));
  EXPECT_LT(reason_->message().size(), 2000U);
}

TEST_F(RawPeerTest, EnvelopeOfUnknownKindEndsTheAssociation) {
  transport_->Inject(HelloFrame());
  OutgoingMessage unknown;
  unknown.state().envelope.initCancel();
  Frame frame = ToFrame(std::move(unknown));
  // The union's tag is the one 16-bit number of the envelope that is not zero.
  for (auto& word : frame.words.slice(2, frame.words.size())) {
    auto* numbers = reinterpret_cast<uint16_t*>(&word);
    for (int i = 0; i < 4; ++i) {
      if (numbers[i] != 0) numbers[i] = 999;
    }
  }
  transport_->Inject(std::move(frame));
  executor_.Run();
  ASSERT_TRUE(reason_);
  EXPECT_THAT(reason_->message(), HasSubstr("unknown kind 999"));
}

TEST_F(AssociationLimitsTest, CallIdInUseEndsTheAssociation) {
  Open();
  ASSERT_EQ(Echo(), Status());
  std::vector<Frame> frames;
  frames.push_back(CallFrame(9, sample::kSampleProtocol.id, 5));
  frames.push_back(CallFrame(9, sample::kSampleProtocol.id, 5));
  const Status end = EndAfter(std::move(frames));
  EXPECT_EQ(end.code(), StatusCode::kMalformed);
  EXPECT_THAT(end.message(), HasSubstr("call id 9"));
  ASSERT_TRUE(client_.end);
  EXPECT_THAT(client_.end->message(), HasSubstr("call id 9")) << "the peer is not told";
}

TEST_F(AssociationLimitsTest, ReplyToNothingEndsTheAssociation) {
  Open();
  ASSERT_EQ(Echo(), Status());
  OutgoingMessage reply = OutgoingMessage::ForReply(0, 0);
  reply.state().envelope.getReply().setId(4711);
  std::vector<Frame> frames;
  frames.push_back(ToFrame(std::move(reply)));
  EXPECT_THAT(EndAfter(std::move(frames)).message(), HasSubstr("4711"));
}

TEST_F(AssociationLimitsTest, UnknownInterfaceAndMethodFailOneCall) {
  Open();
  ASSERT_EQ(Echo(), Status());
  Protocol unknown = sample::kSampleProtocol;
  unknown.id = 0xABCD;
  auto reply =
      CallNow(sample::SampleClient::NothingRequest(client_.association->channel(), unknown, 3));
  EXPECT_EQ(reply->error().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(reply->error().message(), HasSubstr("0x000000000000abcd"));
  EXPECT_THAT(reply->error().message(), HasSubstr("served is Sample"));

  std::vector<MethodInfo> methods(sample::kSampleProtocol.methods.begin(),
                                  sample::kSampleProtocol.methods.end());
  methods.push_back(methods[3]);
  Protocol newer = sample::kSampleProtocol;
  newer.methods = methods;
  reply = CallNow(sample::SampleClient::NothingRequest(client_.association->channel(), newer,
                                                       static_cast<uint16_t>(methods.size() - 1)));
  EXPECT_EQ(reply->error().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(reply->error().message(), HasSubstr("Sample has no method 26"));
  EXPECT_EQ(Echo(), Status());
}

TEST_F(AssociationLimitsTest, DifferentSchemasAreNamedInTheError) {
  Open();
  ASSERT_EQ(Echo(), Status());
  std::vector<MethodInfo> methods(sample::kSampleProtocol.methods.begin(),
                                  sample::kSampleProtocol.methods.end());
  methods.push_back(methods[3]);
  Protocol newer = sample::kSampleProtocol;
  newer.methods = methods;
  newer.schema_hash ^= 1;
  auto reply = CallNow(sample::SampleClient::NothingRequest(
      client_.association->channel(), newer, static_cast<uint16_t>(methods.size() - 1)));
  EXPECT_THAT(reply->error().message(), HasSubstr("different schemas of Sample"));
}

TEST_F(AssociationLimitsTest, OneWayAndTwoWayAreNotMixed) {
  Open();
  ASSERT_EQ(Echo(), Status());
  // A one-way id on a method with reply is dropped: nobody could be answered.
  server_.transport->Inject(CallFrame(0, sample::kSampleProtocol.id, 5));
  executor_.Run();
  EXPECT_TRUE(sample_.kept.empty());
  EXPECT_EQ(Echo(), Status());
}

TEST_F(AssociationLimitsTest, CallsBeyondTheLimitAreRefusedOnBothSides) {
  Open({}, {.max_calls = 2});
  ASSERT_EQ(Echo(), Status());
  OutcomeOf<sample::SampleClient::KeepRequest> outcome;
  Client().Keep().Send(outcome.Callback());
  Client().Keep().Send(outcome.Callback());
  executor_.Run();
  const size_t sent = client_.transport->sent_count();
  auto refused = CallNow(Client().Nothing());
  EXPECT_EQ(refused->error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused->error().message(), HasSubstr("Limits::max_calls"));
  EXPECT_EQ(client_.transport->sent_count(), sent) << "sent although the peer had said its limit";
  server_.transport->Inject(CallFrame(77, sample::kSampleProtocol.id, 3));
  executor_.Run();
  EXPECT_EQ(sample_.kept.size(), 2U);
}

TEST_F(AssociationLimitsTest, OneWayCallsThatHandlersKeepAreBounded) {
  Open({}, {.max_oneway_calls = 2});
  ASSERT_EQ(Echo(), Status());
  sample_.kept_logs.emplace();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Client().Log().Send(), Status());
  executor_.Run();
  EXPECT_EQ(sample_.kept_logs->size(), 2U);
  sample_.kept_logs->pop_back();
  EXPECT_EQ(Client().Log().Send(), Status());
  executor_.Run();
  EXPECT_EQ(sample_.kept_logs->size(), 2U);
  // Those that are not kept are not counted.
  sample_.kept_logs.reset();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Client().Log().Send(), Status());
  executor_.Run();
  EXPECT_EQ(sample_.logged.size(), 8U);
  EXPECT_EQ(Echo(), Status());
}

// T13.
TEST_F(AssociationLimitsTest, CallsThatCannotBeCarriedOutEndTheAssociationAfterSoMany) {
  Open({}, {.max_bad_calls = 3});
  ASSERT_EQ(Echo(), Status());
  server_.transport->Mute();
  const auto bad = [this](uint32_t id) {
    server_.transport->Inject(CallFrame(id, sample::kSampleProtocol.id, 999));
    executor_.Run();
  };
  for (uint32_t id = 1; id <= 3; ++id) bad(id);
  // One that is right counts for those before it.
  server_.transport->Inject(CallFrame(10, sample::kSampleProtocol.id, 3));
  executor_.Run();
  for (uint32_t id = 11; id <= 13; ++id) bad(id);
  EXPECT_FALSE(server_.end);
  bad(14);
  ASSERT_TRUE(server_.end);
  EXPECT_EQ(server_.end->code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(server_.end->message(), HasSubstr("4 calls in a row"));
  EXPECT_THAT(server_.end->message(), HasSubstr("Limits::max_bad_calls"));
}

TEST_F(AssociationLimitsTest, MessageLargerThanThePeerTakesFailsThatCall) {
  Open({}, {.max_frame_bytes = 4096});
  ASSERT_EQ(Echo(), Status());
  auto blob = Client().Blob();
  blob->initData(5000);
  auto refused = CallNow(std::move(blob));
  EXPECT_EQ(refused->error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused->error().message(), HasSubstr("4096"));
  EXPECT_EQ(Echo(), Status());
}

TEST_F(AssociationLimitsTest, ReplyLargerThanTheCallerTakesFailsThatCall) {
  Open({.max_frame_bytes = 4096});
  auto blob = Client().Blob();
  blob->setSize(5000);
  auto refused = CallNow(std::move(blob));
  EXPECT_EQ(refused->error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused->error().message(), HasSubstr("Sample.blob"));
  EXPECT_EQ(Echo(), Status());
}

// T25.
TEST_F(AssociationLimitsTest, MoreOsHandlesThanThePeerTakesFailThatCall) {
  Open({}, {.max_frame_handles = 1});
  ASSERT_EQ(Echo(), Status());
  auto give = Client().Give();
  give->setFirst(FileWith("1"));
  give->setSecond(FileWith("2"));
  auto refused = CallNow(std::move(give));
  EXPECT_EQ(refused->error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused->error().message(), HasSubstr("max_frame_handles"));
  EXPECT_EQ(Echo(), Status());
}

TEST_F(AssociationLimitsTest, EmptiedOsHandleFieldIsRefusedHere) {
  Open();
  auto give = Client().Give();
  give->setFirst(FileWith("1"));
  give->setFirst(OsHandle());
  EXPECT_EQ(CallNow(std::move(give))->error().code(), StatusCode::kInvalidArgument);
}

TEST_F(AssociationLimitsTest, OsHandlesWithoutAFieldForThemFailTheCall) {
  Open();
  ASSERT_EQ(Echo(), Status());
  OutcomeOf<sample::SampleClient::EchoRequest> outcome;
  auto echo = Client().Echo();
  // What a hostile client would do: the schema has no place for this.
  OutgoingMessage hostile = OutgoingMessage::ForCall(sample::kSampleProtocol.id, 0);
  hostile.state().envelope.getCall().setId(99);
  capnp::MallocMessageBuilder scratch;
  hostile.handles().Put(scratch.initRoot<schema::OsHandle>(), FileWith("x"));
  server_.transport->Inject(ToFrame(std::move(hostile)));
  executor_.Run();
  ASSERT_TRUE(client_.end) << "the reply to call 99 is one that the client did not make";
  EXPECT_THAT(client_.end->message(), HasSubstr("call id 99"));
}

TEST_F(AssociationLimitsTest, SessionObjectsAreBounded) {
  Open({}, {.max_objects = 2});
  auto first = CallNow(Client().Make());
  auto second = CallNow(Client().Make());
  EXPECT_TRUE((*first)->getObject().getId() != 0 && (*second)->getObject().getId() != 0);
  auto refused = CallNow(Client().Make());
  EXPECT_EQ(refused->error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused->error().message(), HasSubstr("Limits::max_objects"));
}

TEST_F(AssociationLimitsTest, PeerThatDoesNotReadIsCut) {
  Open({}, {.max_queued_bytes = 1000});
  ASSERT_EQ(Echo(), Status());
  server_.transport->set_queued({.bytes = 1001});
  static_cast<void>(Echo());
  ASSERT_TRUE(server_.end);
  EXPECT_EQ(server_.end->code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(server_.end->message(), HasSubstr("1000 bytes"));
}

// Another connection of its user has let the rest pile up.
TEST_F(AssociationLimitsTest, HelloThatMayNotBeQueuedEndsTheAssociation) {
  Open({}, {.max_queued_bytes = 1000});
  server_.transport->set_queued({.bytes = 1001});
  executor_.Run();
  ASSERT_TRUE(server_.end);
  EXPECT_EQ(server_.end->code(), StatusCode::kResourceExhausted);
}

TEST_F(AssociationLimitsTest, PeerThatLetsMessagesPileUpIsCutHoweverSmallTheyAre) {
  Open();
  ASSERT_EQ(Echo(), Status());
  server_.transport->set_queued({.bytes = 1, .messages = 16'385});
  static_cast<void>(Echo());
  ASSERT_TRUE(server_.end);
  EXPECT_EQ(server_.end->code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(server_.end->message(), HasSubstr("16384 messages"));
  EXPECT_THAT(server_.end->message(), HasSubstr("Limits::max_queued_messages"));
}

TEST_F(AssociationLimitsTest, OsHandlesThatThePeerDoesNotTakeFailTheNextCallForOne) {
  Open();
  ASSERT_EQ(Echo(), Status());
  server_.transport->set_queued({.handles = 256});
  auto open = Client().Open();
  open->setPath(NullPath());
  auto refused = CallNow(std::move(open));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused->error().message(), HasSubstr("Limits::max_queued_handles"));
  EXPECT_EQ(Echo(), Status());
}

TEST_F(AssociationLimitsTest, PeerCannotAllowMoreCallsThanThereAreIds) {
  Limits generous;
  generous.max_calls = UINT32_MAX;
  Open({}, generous);
  ASSERT_EQ(Echo(), Status());
  client_.transport->Mute();
  size_t refused = 0;
  for (uint32_t i = 0; i <= internal::OutgoingCalls::kMost; ++i) {
    Client().Nothing().Send([&](auto reply) {
      if (reply || reply.error().code() != StatusCode::kResourceExhausted) return;
      ++refused;
    });
  }
  executor_.Run();
  EXPECT_EQ(refused, 1U);
}

TEST_F(AssociationLimitsTest, ServerOfAnotherUserIsRefused) {
  Open();
  client_.association.reset();
  auto [end, other] = MemoryTransport::MakePair(executor_);
  TokenFacts facts;
  facts.euid = 1000;
  end->set_peer(Token(std::move(facts)));
  std::optional<Status> reason;
  Association::Config config;
  config.connecting = std::make_unique<Association::Connecting>();
  config.connecting->peer_euid = 0;
  config.on_end = [&reason](const Status& status) { reason = status; };
  ServiceTable none;
  Association client(executor_, std::move(end), none, std::move(config));
  Association server(executor_, std::move(other), server_.services, {});
  server.Start();
  client.Start();
  executor_.Run();
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(reason->message(), HasSubstr("euid=1000"));
}

}  // namespace
}  // namespace lwmsg::test
