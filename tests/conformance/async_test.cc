#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <vector>

#include "tests/conformance/mode.h"

// LWMsg's async tests 37 to 56. Each is for a handler on the loop (`keep`, "nonblock") or on a
// thread of the server's pool (`block`, "block").
namespace lwmsg::test {
namespace {

constexpr auto kNonblock = &conformance::TargetClient::Keep;
constexpr auto kBlock = &conformance::TargetClient::Block;

template <typename Method>
constexpr bool kBlocks = !std::is_same_v<Method, std::remove_const_t<decltype(kNonblock)>>;

// How the calls of an asynchronous client ended, on its loop.
struct Outcome {
  int count = 0;
  std::optional<Status> status;
  std::string text;

  auto Callback() {
    return [this](const auto& reply) {
      ++count;
      status = reply ? Status() : reply.error();
      if (reply) text = reply->getText();
    };
  }
};

class Async : public ModeTest {
 protected:
  ~Async() override {
    host_.reset();
    JoinWorkers();
  }

  // Answers calls of both methods.
  template <typename Handler>
  void AnswerBy(Handler handler) {
    target_.on_keep = handler;
    target_.on_block = handler;
  }
  template <typename Method>
  auto Request(const Channel& channel, Method method, const std::string& text) const {
    auto request = (conformance::TargetClient(channel).*method)();
    request->setText(text);
    return request;
  }
  template <typename Call>
  static void Answer(Call& call) {
    call.results().setText("answer to " + std::string(call->getText()));
    call.Reply();
  }

  // A call of a synchronous and one of an asynchronous client; both get the answer.
  template <typename Method>
  void BothClientsGetTheAnswer(Method method) {
    {
      auto client = NewBlockingClient();
      auto reply = Request(*client, method, "sync").Sync();
      ASSERT_TRUE(reply) << reply.error();
      EXPECT_EQ(std::string(reply->getText()), "answer to sync");
    }
    auto client = NewClient(loop_);
    Outcome outcome;
    Request(*client, method, "async").Send(outcome.Callback());
    EXPECT_EQ(outcome.count, 0) << "the callback runs later";
    EXPECT_TRUE(RunLoopUntil(loop_, [&] { return outcome.count != 0; }));
    EXPECT_EQ(outcome.text, "answer to async");
    client.reset();
    loop_.Run();
    EXPECT_EQ(outcome.count, 1);
  }
  // A handler that answers at once.
  template <typename Method>
  void AtOnce(Method method) {
    AnswerBy([this](auto call) {
      handler_thread_ = std::this_thread::get_id();
      Answer(call);
    });
    Start();
    BothClientsGetTheAnswer(method);
    host_->Run([&](Server&) {
      EXPECT_EQ(handler_thread_ == std::this_thread::get_id(), !kBlocks<Method>);
    });
  }
  // A handler that leaves the answer to another thread, which finds that the server goes on.
  template <typename Method>
  void Later(Method method) {
    AnswerBy([this](auto call) {
      const std::lock_guard lock(mutex_);
      workers_.emplace_back([this, call = std::move(call)]() mutable {
        EXPECT_EQ(Ping(*other_), Status());
        Answer(call);
      });
    });
    Start();
    other_ = NewBlockingClient();
    BothClientsGetTheAnswer(method);
    JoinWorkers();
    other_.reset();
  }

  // A handler that answers nothing and waits until that is no longer wanted: the one on the loop by
  // OnCancel, the other one on its thread by its stop_token.
  void HandleUntilCancelled() {
    target_.on_keep = [this](Target::KeepCall call) {
      auto kept = std::make_shared<Target::KeepCall>(std::move(call));
      kept->OnCancel([this, kept] {
        EXPECT_TRUE(kept->cancelled());
        Answer(*kept);  // Nobody hears it.
        loop_.Post([this] { ++cancelled_; });
      });
      loop_.Post([this] { ++begun_; });
    };
    target_.on_block = [this](Target::BlockCall call) {
      const std::stop_token stop = call.stop_token();
      loop_.Post([this] { ++begun_; });
      // Not condition_variable_any's wait for a stop: mingw's can miss it.
      Event stopped;
      const std::stop_callback on_stop(stop, [&stopped] { stopped.Happen(); });
      EXPECT_TRUE(stopped.Wait());
      Answer(call);
      loop_.Post([this] { ++cancelled_; });
    };
    Start();
  }
  // An asynchronous client whose call is with the handler; then `end` ends it with that code.
  template <typename Method, typename End>
  void EndsOnce(Method method, StatusCode code, End end) {
    HandleUntilCancelled();
    auto client = NewClient(loop_);
    Outcome outcome;
    const PendingCall pending = Request(*client, method, "x").Send(outcome.Callback());
    ASSERT_TRUE(RunLoopUntil(loop_, [&] { return begun_ == 1; }));
    EXPECT_EQ(outcome.count, 0);
    end(*client, pending);
    EndedWith(outcome, code);
    if (code == StatusCode::kCancelled) StillServes(*client);
    client.reset();
    loop_.Run();
    EXPECT_EQ(outcome.count, 1);
    EXPECT_EQ(cancelled_, 1);
  }
  template <typename Method>
  void Disconnect(Method method) {
    EndsOnce(method, StatusCode::kUnavailable,
             [](Client& client, const PendingCall&) { client.Close(); });
  }
  template <typename Method>
  void Shutdown(Method method) {
    EndsOnce(method, StatusCode::kUnavailable,
             [this](Client&, const PendingCall&) { host_->Stop(); });
  }
  template <typename Method>
  void Cancel(Method method) {
    EndsOnce(method, StatusCode::kCancelled,
             [](Client&, const PendingCall& pending) { pending.Cancel(); });
  }

  Loop loop_;

 private:
  void EndedWith(const Outcome& outcome, StatusCode code) {
    EXPECT_TRUE(RunLoopUntil(loop_, [&] { return outcome.count != 0 && cancelled_ != 0; }));
    ASSERT_TRUE(outcome.status);
    EXPECT_EQ(outcome.status->code(), code) << *outcome.status;
  }
  void StillServes(const Client& client) {
    std::optional<Status> ping;
    conformance::TargetClient(client).Ping().Send(
        [&ping](const auto& reply) { ping = reply ? Status() : reply.error(); });
    EXPECT_TRUE(RunLoopUntil(loop_, [&] { return ping.has_value(); }));
    EXPECT_EQ(ping, Status());
  }
  void JoinWorkers() {
    const std::lock_guard lock(mutex_);
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  std::atomic<std::thread::id> handler_thread_;
  std::unique_ptr<BlockingClient> other_;  // Of the workers, one at a time.
  // Calls that came to their handler, and that it learnt the end of; on the test's loop.
  int begun_ = 0;
  int cancelled_ = 0;
  std::mutex mutex_;
  std::vector<std::thread> workers_;  // Guarded by mutex_.
};
INSTANTIATE_TEST_SUITE_P(Conformance, Async,
                         ::testing::Values(Mode::kLocal, Mode::kDirect, Mode::kPair), ModeName);

TEST_P(Async, C37_NonblockSynchronous) { AtOnce(kNonblock); }
// Differs: no 50 ms; the other thread answers when it has seen the server serve somebody else.
TEST_P(Async, C39_NonblockAsynchronous) { Later(kNonblock); }
TEST_P(Async, C41_BlockSynchronous) { AtOnce(kBlock); }
TEST_P(Async, C43_BlockAsynchronous) { Later(kBlock); }
TEST_P(Async, C45_NonblockAsynchronousDisconnect) { Disconnect(kNonblock); }
TEST_P(Async, C47_BlockAsynchronousDisconnect) { Disconnect(kBlock); }
TEST_P(Async, C49_NonblockAsynchronousShutdown) { Shutdown(kNonblock); }
TEST_P(Async, C51_BlockAsynchronousShutdown) { Shutdown(kBlock); }
TEST_P(Async, C53_NonblockAsynchronousCancel) { Cancel(kNonblock); }
TEST_P(Async, C55_BlockAsynchronousCancel) { Cancel(kBlock); }

}  // namespace
}  // namespace lwmsg::test
