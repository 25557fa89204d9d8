#include <vector>

#include "tests/hostile/windows/raw_handles.h"
#include "tests/multiprocess/fixture.h"

// Numbers of handles mean something in one process only.
namespace lwmsg::test {
namespace {

class ForeignNumbersTest : public MultiprocessTest {
 protected:
  // What a call comes to whose answer has the handle that the server has by that number.
  Status CallAnsweredWith(const std::string& number) {
    auto child = SpawnWithPair({OwnPath(), "--role=offer-number", "number=" + number});
    if (!child) return child.error();
    const Reaper reaper(child->pid);
    BlockingClient client(std::move(child->channel));
    auto reply = sample::SampleClient(client).Collect().Sync();
    if (!reply) return reply.error();
    for (auto item : reply->getItems()) {
      auto handle = reply->Take(item.getFile());
      if (!handle) return handle.error();
    }
    return Status();
  }
};

// T79.
TEST_F(ForeignNumbersTest, NumberOfTheClientsOwnHandleIsLookedUpInTheServer) {
  EXPECT_EQ(CallAnsweredWith(""), Status());
  // So many that the server has none by the number of the last.
  std::vector<OsHandle> events;
  for (int i = 0; i < 1000; ++i) events.push_back(MakeEvent());
  const std::string number = NumberOf(events.back());
  const Status status = CallAnsweredWith(number);
  EXPECT_EQ(status.code(), StatusCode::kMalformed);
  EXPECT_THAT(status.message(), testing::HasSubstr("cannot duplicate handle " + number));
  for (const OsHandle& event : events) EXPECT_TRUE(IsOpen(event.get()));
}

}  // namespace
}  // namespace lwmsg::test
