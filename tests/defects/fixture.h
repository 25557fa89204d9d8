#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "tests/hostile/fixture.h"

namespace lwmsg::test {

// A server for sockets and for its own process, whose clients are on the same loop. The names of
// the tests are the numbers of README.md.
class Defects : public HostilePeerTest {
 protected:
  void TearDown() override {}

  std::string Direct() const { return "direct:" + folder_.path(); }
  void Serve(ServerOptions options = {}) {
    server_.emplace(loop_, std::move(options));
    ASSERT_TRUE(server_->Serve(sample_).ok());
    ASSERT_EQ(server_->Listen(folder_.Endpoint()), Status());
    ASSERT_EQ(server_->Listen(Direct()), Status());
  }
  static ServerOptions With(const Limits& limits) {
    ServerOptions options;
    options.limits = limits;
    return options;
  }
  // Once over a socket, once in the process.
  void ForBoth(const std::function<void(const std::string& endpoint)>& test) {
    for (const std::string& endpoint : {folder_.Endpoint(), Direct()}) {
      SCOPED_TRACE(endpoint);
      test(endpoint);
    }
  }

  // The answer; it must come once.
  template <typename Request>
  auto Answer(Request request) {
    std::optional<decltype(request.Sync())> answer;
    request.Send([&answer](auto reply) {
      EXPECT_FALSE(answer) << "a second answer";
      answer = std::move(reply);
    });
    RunUntil([&answer] { return answer.has_value(); });
    return std::move(*answer);
  }
  template <typename Request>
  Status StatusOf(Request request) {
    auto answer = Answer(std::move(request));
    return answer ? Status() : answer.error();
  }
  Status EchoAt(const std::string& endpoint) {
    Client client(loop_, endpoint);
    return Echo(client);
  }
  using HostilePeerTest::Echo;
};

// A call of Collect with that many files.
inline auto CollectFiles(const Client& client, uint32_t count) {
  auto collect = sample::SampleClient(client).Collect();
  auto items = collect->initItems(count);
  for (uint32_t i = 0; i < count; ++i) collect.Put(items[i].getFile(), OpenNull());
  return collect;
}

}  // namespace lwmsg::test
