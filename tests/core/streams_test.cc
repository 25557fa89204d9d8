#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "lwmsg/internal/message_state.h"
#include "tests/core/harness.h"

namespace lwmsg::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using CountStream = decltype(std::declval<sample::SampleClient>().Count().Start());

class StreamsTest : public AssociationTest {
 protected:
  CountStream Count(uint32_t to) {
    auto count = Client().Count();
    count->setTo(to);
    return count.Start();
  }
  // The next item, -1 at the good end, -2 if there is none yet. An error becomes `error_`.
  int64_t Next(CountStream& stream) {
    int64_t next = -2;
    stream.Next([this, &next](auto item) {
      if (!item) {
        error_ = item.error();
      } else {
        next = *item ? int64_t{(*item)->getNumber()} : -1;
      }
    });
    executor_.Run();
    return next;
  }
  Frame ItemFrame(uint32_t id) {
    auto item = OutgoingMessage::ForItem(0, 0);
    item.state().envelope.getItem().setId(id);
    return ToFrame(std::move(item));
  }

  Status error_;
};

Task ReadAllOf(CountStream stream, std::vector<uint32_t>& numbers, std::optional<Status>& end) {
  while (true) {
    auto item = co_await stream.Next();
    if (!item || !*item) {
      end = item ? Status() : item.error();
      co_return;
    }
    numbers.push_back((*item)->getNumber());
  }
}

TEST_F(StreamsTest, BringsItemsInOrderAndThenItsEnd) {
  Open();
  std::vector<uint32_t> numbers;
  std::optional<Status> end;
  ReadAllOf(Count(100), numbers, end);
  executor_.Run();
  ASSERT_EQ(numbers.size(), 100U);
  for (uint32_t i = 0; i < 100; ++i) EXPECT_EQ(numbers[i], i);
  EXPECT_EQ(end, Status());
}

TEST_F(StreamsTest, HoldsTheCalleeBackWhileNothingIsRead) {
  Open();
  auto stream = Count(100);
  executor_.Run();
  const size_t hello_and_window = 1 + 4;
  EXPECT_EQ(server_.transport->sent_count(), hello_and_window);
  EXPECT_EQ(Next(stream), 0);
  EXPECT_EQ(Next(stream), 1);
  EXPECT_EQ(Next(stream), 2);
  EXPECT_EQ(server_.transport->sent_count(), hello_and_window + 3);
}

TEST_F(StreamsTest, SendWithoutRoomKeepsTheItem) {
  Open();
  auto watch = Client().Watch();
  auto stream = watch.Start();
  executor_.Run();
  auto& call = sample_.watching.at(0);
  for (const char* text : {"a", "b"}) {
    call.item().setText(text);
    EXPECT_TRUE(call.Send().ok());
  }
  call.item().setText("c");
  EXPECT_EQ(call.Send().code(), StatusCode::kResourceExhausted);
  bool room = false;
  call.OnCredit([&room] { room = true; });
  std::vector<std::string> texts;
  for (int i = 0; i < 3; ++i) {
    stream.Next([&texts](auto item) { texts.emplace_back((**item).getText()); });
    executor_.Run();
    if (room) {
      EXPECT_TRUE(call.Send().ok());
    }
    room = false;
    executor_.Run();
  }
  EXPECT_THAT(texts, ElementsAre("a", "b", "c"));
}

TEST_F(StreamsTest, ReaderThatWasServedAlreadyIsNotWokenForNothing) {
  Open();
  auto stream = Client().Watch().Start();
  executor_.Run();
  auto& call = sample_.watching.at(0);
  call.item().setText("a");
  ASSERT_TRUE(call.Send().ok());
  executor_.Run();
  // Comes before what Next posts below.
  call.item().setText("b");
  ASSERT_TRUE(call.Send().ok());
  std::vector<std::string> texts;
  std::function<void()> read = [&] {
    stream.Next([&](auto item) {
      texts.emplace_back((**item).getText());
      read();
    });
  };
  read();
  executor_.Run();
  EXPECT_THAT(texts, ElementsAre("a", "b"));
}

TEST_F(StreamsTest, EndsForTheCalleeWhenTheCallerLetsGo) {
  Open();
  {
    auto stream = Client().Watch().Start();
    executor_.Run();
    ASSERT_EQ(sample_.watching.size(), 1U);
    EXPECT_FALSE(sample_.watching[0].cancelled());
  }
  bool told = false;
  executor_.Run();
  auto& call = sample_.watching[0];
  call.OnCancel([&told] { told = true; });
  EXPECT_TRUE(told);
  EXPECT_EQ(call.credit(), 0U);
  EXPECT_EQ(call.Send().code(), StatusCode::kUnavailable);
}

TEST_F(StreamsTest, CoroutineHandlerThatWaitsForRoomEndsWhenTheCallerLetsGo) {
  Open();
  {
    auto stream = Count(100);
    executor_.Run();
  }
  executor_.Run();
  EXPECT_EQ(Echo(), Status());
  client_.association->Drain();
  executor_.Run();
  EXPECT_TRUE(client_.end) << "a call is still in hand";
}

TEST_F(StreamsTest, FailsWithTheErrorOfTheCalleeAfterTheItemsBefore) {
  Open();
  auto stream = Client().Watch().Start();
  executor_.Run();
  auto& call = sample_.watching.at(0);
  call.item().setText("last words");
  ASSERT_TRUE(call.Send().ok());
  call.Fail(StatusCode::kNotFound, "nothing more to see");
  executor_.Run();
  std::string text;
  stream.Next([&text](auto item) { text = (**item).getText().cStr(); });
  executor_.Run();
  EXPECT_EQ(text, "last words");
  Status end;
  stream.Next([&end](auto item) { end = item.error(); });
  executor_.Run();
  EXPECT_EQ(end.code(), StatusCode::kNotFound);
}

TEST_F(StreamsTest, ItemBehindTheEndIsRefused) {
  Open();
  auto stream = Client().Watch().Start();
  executor_.Run();
  ASSERT_EQ(sample_.watching.size(), 1U);
  auto& call = sample_.watching[0];
  call.item().setText("never sent");
  call.Finish();
  call.item().setText("too late");
  EXPECT_EQ(call.Send().code(), StatusCode::kUnavailable);
  call.Finish();
  call.Fail(StatusCode::kInternal, "too late");
  std::optional<Status> end;
  stream.Next([&end](auto item) {
    end = item && !*item ? Status() : Status(StatusCode::kInternal, "no end");
  });
  executor_.Run();
  EXPECT_EQ(end, Status());
}

TEST_F(StreamsTest, FailsWhenTheAssociationEnds) {
  Open();
  auto stream = Count(100);
  EXPECT_EQ(Next(stream), 0);
  server_.association->Close(Status());
  executor_.Run();
  for (int64_t number = 1; number < 4; ++number) EXPECT_EQ(Next(stream), number);
  EXPECT_EQ(Next(stream), -2);
  EXPECT_EQ(error_.code(), StatusCode::kUnavailable);
}

TEST_F(StreamsTest, HasNoDeadlineUnlessOneIsSet) {
  Open();
  auto endless = Client().Watch().Start();
  auto watch = Client().Watch();
  watch.set_timeout(std::chrono::milliseconds(100));
  auto limited = watch.Start();
  executor_.Advance(std::chrono::hours(1));
  ASSERT_EQ(sample_.watching.size(), 2U);
  EXPECT_FALSE(sample_.watching[0].cancelled());
  EXPECT_TRUE(sample_.watching[1].cancelled());
}

TEST_F(StreamsTest, ItemWithoutCreditEndsTheAssociation) {
  Open();
  auto stream = Client().Watch().Start();
  executor_.Run();
  const uint32_t first_id = 1U << 16;
  for (int i = 0; i < 3; ++i) client_.transport->Inject(ItemFrame(first_id));
  executor_.Run();
  ASSERT_TRUE(client_.end);
  EXPECT_THAT(client_.end->message(), HasSubstr("without credit"));
}

TEST_F(StreamsTest, BrokenItemFailsTheStreamAndLeavesTheAssociation) {
  Open();
  auto watch = Client().Watch().Start();
  executor_.Run();
  ASSERT_EQ(sample_.watching.size(), 1U);
  auto item = OutgoingMessage::ForItem(0, 0);
  item.state().envelope.getItem().setId(1U << 16);
  // No text ends without a zero.
  const kj::byte letter = 'a';
  item.payload().initAsAnyStruct(0, 1).getPointerSection()[0].setAs<capnp::Data>({&letter, 1});
  client_.transport->Inject(ToFrame(std::move(item)));
  std::optional<Status> end;
  watch.Next([&end](auto next) { end = next ? Status() : next.error(); });
  executor_.Run();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code(), StatusCode::kMalformed);
  EXPECT_THAT(end->message(), HasSubstr("item of Sample.watch: text: "));
  EXPECT_TRUE(sample_.watching[0].cancelled());
  EXPECT_EQ(Echo(), Status());
}

TEST_F(StreamsTest, ItemOfAnOrdinaryCallEndsTheAssociation) {
  Open();
  auto keep = Client().Keep();
  OutcomeOf<decltype(keep)> kept;
  keep.Send(kept.Callback());
  executor_.Run();
  client_.transport->Inject(ItemFrame(1U << 16));
  executor_.Run();
  ASSERT_TRUE(client_.end);
  EXPECT_EQ(kept.code(), StatusCode::kMalformed);
}

TEST_F(StreamsTest, EndlessCreditEndsTheAssociation) {
  Open();
  auto stream = Client().Watch().Start();
  executor_.Run();
  OutgoingMessage message;
  auto credit = message.state().envelope.initCredit();
  credit.setId(1U << 16);
  credit.setItems(65535);
  server_.transport->Inject(ToFrame(std::move(message)));
  executor_.Run();
  ASSERT_TRUE(server_.end);
  EXPECT_THAT(server_.end->message(), HasSubstr("credit of 65535"));
}

}  // namespace
}  // namespace lwmsg::test
