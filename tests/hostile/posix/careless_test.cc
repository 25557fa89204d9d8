#include <posix/careless.lwmsg.h>
#include <uv.h>

#include <stdexcept>

#include "tests/hostile/fixture.h"

// T32. Handles of calls that no handler looks after.
namespace lwmsg::test {
namespace {

class CarelessService final : public careless::CarelessService {
 public:
  void Ignore(IgnoreCall call) override { call.Reply(); }
  void Fail(FailCall call) override {
    const auto taken = call->takeFirst();
    throw std::runtime_error("with a handle in hand");
  }
  void Keep(KeepCall call) override {
    auto file = call->takeFirst();
    if (file) files_.push_back(std::move(*file));
    kept_.push_back(std::move(call));
  }
  size_t kept() const { return kept_.size(); }
  void LetGo() {
    kept_.clear();
    files_.clear();
  }
  bool LetGoOfCancelled() {
    if (kept_.empty() || !kept_.back().cancelled()) return false;
    LetGo();
    return true;
  }

 private:
  std::vector<OsHandle> files_;
  std::vector<KeepCall> kept_;
};

class CarelessHandlerTest : public HostilePeerTest {
 protected:
  void ServeCarelessly(const Limits& limits = {}) {
    Serve(limits);
    ASSERT_EQ(server_->Serve(service_), Status());
    client_.emplace(loop_, folder_.Endpoint());
    ASSERT_EQ(Echo(*client_), Status());
    before_ = OpenDescriptors().size();
  }
  // The bystander must be alone in the end.
  void TearDown() override {
    // What nobody took is closed by a thread of its own.
    RunUntil([this] { return OpenDescriptors().size() == before_; });
    client_.reset();
    HostilePeerTest::TearDown();
  }
  template <typename Request>
  Request WithFiles(Request request) {
    request->setFirst(OpenNull());
    request->setSecond(OpenNull());
    return request;
  }
  // Each call is answered, in that way, before the next.
  template <typename Make>
  void CallAgainAndAgain(StatusCode wanted, Make make) {
    const int times = Times(10'000);
    int answered = 0;
    std::function<void()> call = [&] {
      WithFiles(make()).Send([&](auto reply) {
        EXPECT_EQ(reply ? StatusCode::kOk : reply.error().code(), wanted);
        if (++answered < times) call();
      });
    };
    call();
    while (answered < times) uv_run(loop_.uv(), UV_RUN_ONCE);
  }

  CarelessService service_;
  std::optional<Client> client_;
  size_t before_ = 0;
};

TEST_F(CarelessHandlerTest, ThatIgnoresHandlesLeavesNoneOpen) {
  ServeCarelessly();
  CallAgainAndAgain(StatusCode::kOk, [&] { return careless::CarelessClient(*client_).Ignore(); });
}

TEST_F(CarelessHandlerTest, ThatThrowsWithHandlesLeavesNoneOpen) {
  ServeCarelessly();
  CallAgainAndAgain(StatusCode::kInternal,
                    [&] { return careless::CarelessClient(*client_).Fail(); });
}

TEST_F(CarelessHandlerTest, ThatIsCancelledWithHandlesLeavesNoneOpen) {
  ServeCarelessly();
  const int times = Times(10'000);
  for (int i = 0; i < times; ++i) {
    bool ended = false;
    auto pending = WithFiles(careless::CarelessClient(*client_).Keep()).Send([&](auto reply) {
      EXPECT_FALSE(reply);
      ended = true;
    });
    while (service_.kept() == 0) uv_run(loop_.uv(), UV_RUN_ONCE);
    pending.Cancel();
    while (!ended || !service_.LetGoOfCancelled()) uv_run(loop_.uv(), UV_RUN_ONCE);
  }
}

// What it took out is its own.
TEST_F(CarelessHandlerTest, ThatLeavesHandlesInItsCallsGetsNoMoreOfThem) {
  Limits limits;
  limits.max_frame_handles = 2;
  limits.max_received_handles = 4;
  ServeCarelessly(limits);
  std::vector<Status> ended;
  const auto keep = [&] {
    WithFiles(careless::CarelessClient(*client_).Keep()).Send([&](auto reply) {
      ended.push_back(reply ? Status() : reply.error());
    });
  };
  // Each leaves one in its call.
  for (size_t i = 1; i <= 3; ++i) {
    keep();
    RunUntil([&] { return service_.kept() == i || !ended.empty(); });
  }
  keep();
  RunUntil([&] { return !ended.empty(); });
  EXPECT_EQ(service_.kept(), 3U);
  EXPECT_TRUE(Says(ended[0], StatusCode::kResourceExhausted,
                   {"hold more than 4 OS handles", "Limits::max_received_handles"}));
  ASSERT_EQ(Echo(*client_), Status()) << "what brings none";
  service_.LetGo();
  keep();
  RunUntil([&] { return service_.kept() == 1; });
  service_.LetGo();
  RunUntil([&] { return ended.size() == 5; });
}

}  // namespace
}  // namespace lwmsg::test
