#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <sstream>
#include <vector>

#include "lwmsg/internal/message_state.h"
#include "tests/core/harness.h"
#include "tests/support/schema_text_parser.h"

namespace lwmsg::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using EchoRequest = sample::SampleClient::EchoRequest;

std::string Hex(uint64_t number) {
  std::ostringstream text;
  text << "0x" << std::hex << number;
  return text.str();
}

// Sample as a program has it that was built at another time.
Protocol OtherSample(capnp::InterfaceSchema (*schema)()) {
  Protocol protocol = sample::kSampleProtocol;
  protocol.schema_hash ^= 1;
  protocol.schema = schema;
  return protocol;
}

// What an interface of another program's schema is; set by the test that has it.
const ParsedSchema* parsed_schema = nullptr;
capnp::InterfaceSchema ParsedSample() { return parsed_schema->Interface("Sample"); }

class ForeignSchemasTest : public AssociationTest {
 protected:
  EchoRequest EchoBy(const Protocol& protocol, const char* text) {
    EchoRequest echo(client_.association->channel(), protocol, 0);
    echo->setText(text);
    return echo;
  }
  Frame CallByHash(uint64_t hash) {
    OutgoingMessage message = OutgoingMessage::ForCall(sample::kSampleProtocol.id, 3);
    message.state().envelope.getCall().setId(99);
    message.state().envelope.getCall().setSchemaHash(hash);
    return ToFrame(std::move(message));
  }
};

TEST_F(ForeignSchemasTest, CompatibleOneIsUnderstoodAndAskedForOnce) {
  Open();
  const Protocol other = OtherSample(sample::kSampleProtocol.schema);
  EXPECT_EQ((*CallNow(EchoBy(other, "a")))->getText(), "a");
  const size_t sent = client_.transport->sent_count();
  EXPECT_EQ((*CallNow(EchoBy(other, "b")))->getText(), "b");
  EXPECT_EQ(client_.transport->sent_count(), sent + 1);
}

TEST_F(ForeignSchemasTest, IncompatibleOneFailsTheCallAndNamesTheField) {
  Open();
  const ParsedSchema parsed("interface Sample @" + Hex(sample::kSampleProtocol.id) +
                            " { echo @0 (text :UInt32) -> (text :Text); }");
  parsed_schema = &parsed;
  const Protocol other = OtherSample(ParsedSample);
  for (int i = 0; i < 2; ++i) {
    auto reply = CallNow(EchoBy(other, "a"));
    EXPECT_EQ(reply->error().code(), StatusCode::kUnimplemented);
    EXPECT_THAT(reply->error().message(), HasSubstr("field \"text\" is Text here and UInt32"));
  }
  EXPECT_EQ(Echo(), Status());
}

TEST_F(ForeignSchemasTest, CallsBehindKeepTheirOrder) {
  Open();
  const Protocol other = OtherSample(sample::kSampleProtocol.schema);
  std::vector<std::string> order;
  auto note = [&order](auto reply) {
    ASSERT_TRUE(reply) << reply.error();
    order.emplace_back(reply->getText());
  };
  EchoBy(other, "first").Send(note);
  EchoBy(sample::kSampleProtocol, "second").Send(note);
  EchoBy(other, "third").Send(note);
  executor_.Run();
  EXPECT_THAT(order, ElementsAre("first", "second", "third"));
}

// Of the call that asks, too.
TEST_F(ForeignSchemasTest, HandlesOfCallsThatAskAreCountedOnce) {
  Open();
  Protocol other = OtherSample(sample::kSampleProtocol.schema);
  Protocol third = other;
  third.schema_hash ^= 2;
  sample::SampleClient::GiveRequest give(client_.association->channel(), other, 2);
  give->setFirst(OpenNull());
  give->setSecond(OpenNull());
  Status last(StatusCode::kInternal, "no answer");
  // The next call comes while the second schema is asked for.
  give.Send([&](auto reply) {
    EXPECT_TRUE(reply) << reply.error();
    EchoBy(sample::kSampleProtocol, "c").Send([&last](auto third_reply) {
      last = third_reply ? Status() : third_reply.error();
    });
  });
  EchoBy(third, "b").Send([](auto reply) { EXPECT_TRUE(reply) << reply.error(); });
  executor_.Run();
  EXPECT_EQ(last, Status());
}

// The client serves Sample and may wait, as a BlockingClient; the server calls it by another
// schema.
class HeldCallsTest : public ForeignSchemasTest {
 protected:
  HeldCallsTest() {
    connector_config = [this](Association::Environment&, Association::Connecting& config) {
      config.run_once = [this](bool) {
        // Nothing that is waited for is so far away.
        if (++waits_ > 100) client_.association->Close(Status());
        executor_.Run();
      };
    };
  }
  void SetUp() override {
    ASSERT_TRUE(client_.services.Add(own_).ok());
    Open();
    ASSERT_EQ(Echo(), Status());
  }
  void SendKeep(const char* text) {
    sample::SampleClient::KeepRequest keep(server_.association->channel(), other_, 5);
    keep->setText(text);
    keep.Send([](auto) {});
  }
  void SendLog(const char* text) {
    sample::SampleClient::LogRequest log(server_.association->channel(), other_, 4);
    log->setText(text);
    ASSERT_TRUE(log.Send().ok());
  }
  // Runs `act` in the first call of Keep.
  void OnFirstKeep(std::function<void()> act) {
    own_.on_keep = [act = std::move(act), first = true]() mutable {
      if (std::exchange(first, false)) act();
    };
  }
  std::vector<std::string> Kept() {
    std::vector<std::string> texts;
    for (auto& call : own_.kept) texts.emplace_back(call->getText().cStr());
    return texts;
  }

  const Protocol other_ = OtherSample(sample::kSampleProtocol.schema);
  SampleService own_;
  int waits_ = 0;
};

TEST_F(HeldCallsTest, AreNotOvertakenWhileAHandlerWaits) {
  SendKeep("1");
  SendKeep("2");
  OnFirstKeep([this] {
    SendKeep("3");
    EXPECT_EQ(Client().Nothing().Sync().has_value(), true);
    EXPECT_THAT(Kept(), ElementsAre("1", "2", "3"));
  });
  executor_.Run();
  EXPECT_THAT(Kept(), ElementsAre("1", "2", "3"));
  own_.kept.clear();
  executor_.Run();
}

TEST_F(HeldCallsTest, DoNotKeepFromAHandlerWhatIsHeldBehindThem) {
  auto stream = Client().Watch().Start();
  executor_.Run();
  SendKeep("1");
  SendKeep("2");
  auto& call = sample_.watching.at(0);
  call.item().setText("a");
  ASSERT_TRUE(call.Send().ok());
  std::string item;
  OnFirstKeep([&] {
    if (const auto next = stream.NextSync(); next && *next) item = (*next)->getText().cStr();
  });
  executor_.Run();
  EXPECT_EQ(item, "a");
  EXPECT_THAT(Kept(), ElementsAre("1", "2"));
  own_.kept.clear();
  sample_.watching.clear();
  executor_.Run();
}

TEST_F(HeldCallsTest, CountBeforeALossAndDoNotDelayIt) {
  SendKeep("1");
  SendLog("x");
  OnFirstKeep([this] {
    client_.transport->Break(Status());
    executor_.Run();
    EXPECT_THAT(own_.logged, ElementsAre("x"));
    EXPECT_EQ(client_.association->state(), Association::State::kClosed);
    EXPECT_EQ(Client().Nothing().Sync().error().code(), StatusCode::kUnavailable);
  });
  executor_.Run();
  EXPECT_THAT(Kept(), ElementsAre("1"));
  own_.kept.clear();
}

// Each waits for the other's answer, and answers meanwhile.
TEST_F(HeldCallsTest, BothSidesMayAskAtATime) {
  SendKeep("1");
  std::string answer;
  EchoBy(other_, "a").Send([&answer](auto reply) {
    ASSERT_TRUE(reply) << reply.error();
    answer = reply->getText();
  });
  executor_.Run();
  EXPECT_EQ(answer, "a");
  EXPECT_THAT(Kept(), ElementsAre("1"));
  own_.kept.clear();
}

TEST_F(ForeignSchemasTest, DescriptionThatWasNotAskedForEndsTheAssociation) {
  Open();
  ASSERT_EQ(Echo(), Status());
  OutgoingMessage message;
  message.state().envelope.initDescription().setInterfaceId(sample::kSampleProtocol.id);
  server_.transport->Inject(ToFrame(std::move(message)));
  executor_.Run();
  ASSERT_TRUE(server_.end);
  EXPECT_THAT(server_.end->message(), HasSubstr("not asked for"));
}

TEST_F(ForeignSchemasTest, AskingAgainAndAgainEndsTheAssociation) {
  Open();
  ASSERT_EQ(Echo(), Status());
  const size_t sent = client_.transport->sent_count();
  for (size_t i = 1; i <= 65; ++i) {
    ASSERT_FALSE(client_.end);
    OutgoingMessage question;
    question.state().envelope.setDescribe(sample::kSampleProtocol.id);
    // The other side did not ask, and must not see the answers.
    client_.transport->Mute();
    client_.transport->Inject(ToFrame(std::move(question)));
    executor_.Run();
    EXPECT_EQ(client_.transport->sent_count(), sent + i) << "an answer, or the goodbye";
  }
  ASSERT_TRUE(client_.end);
  EXPECT_EQ(client_.end->code(), StatusCode::kMalformed);
  EXPECT_THAT(client_.end->message(), HasSubstr("again and again"));
}

TEST_F(ForeignSchemasTest, CallerThatDoesNotDescribeItsSchemaIsCut) {
  Open();
  ASSERT_EQ(Echo(), Status());
  // Nothing but what is injected comes from the client any more.
  client_.transport->Mute();
  server_.transport->Inject(CallByHash(5));
  executor_.Advance(std::chrono::seconds(6));
  ASSERT_TRUE(server_.end);
  EXPECT_EQ(server_.end->code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(server_.end->message(), HasSubstr("describe its schema of Sample"));
}

// Its handles would be held until the answer comes.
TEST_F(ForeignSchemasTest, CallThatBringsMoreHandlesThanItsUserMayIsRefusedAndAsksForNothing) {
  Open();
  ASSERT_EQ(Echo(), Status());
  client_.transport->Mute();
  const size_t sent = server_.transport->sent_count();
  server_.transport->Mute();
  const auto account = std::make_shared<internal::HandleAccount>(0, 100, [] {});
  Frame frame = CallByHash(5);
  std::vector<OsHandle> handles;
  handles.push_back(OpenNull());
  account->Hold(1);
  frame.handles = internal::ReceivedHandles(std::move(handles), account);
  server_.transport->Inject(std::move(frame));
  executor_.Run();
  EXPECT_EQ(server_.transport->sent_count(), sent + 1);
  EXPECT_FALSE(account->over()) << "its handles are held";
  executor_.Advance(std::chrono::seconds(6));
  EXPECT_FALSE(server_.end) << "a schema was asked for";
}

TEST_F(ForeignSchemasTest, FloodOfThemIsBounded) {
  Open();
  ASSERT_EQ(Echo(), Status());
  std::deque<Protocol> others;  // A protocol lives as long as the program, they say.
  for (int i = 0; i < 70; ++i) {
    Protocol& other = others.emplace_back(OtherSample(sample::kSampleProtocol.schema));
    other.schema_hash = static_cast<uint64_t>(i) + 1;
    auto reply = CallNow(EchoBy(other, "a"));
    if (i < 64) {
      EXPECT_TRUE(*reply);
    } else {
      EXPECT_EQ(reply->error().code(), StatusCode::kResourceExhausted);
    }
  }
}

}  // namespace
}  // namespace lwmsg::test
