#include <gmock/gmock.h>

#include <array>
#include <functional>
#include <optional>

#include "lwmsg/lwmsg.h"
#include "runtime/direct.h"
#include "runtime/stream_transport.h"
#include "runtime/uv_loop.h"
#include "tests/support/inventory.h"
#include "tests/support/manual_executor.h"
#include "tests/support/memory_transport.h"
#include "tests/support/sample_service.h"
#include "tests/support/system.h"

// What every Transport must do, checked on each that there is.
namespace lwmsg::test {
namespace {

// Makes two joined transports, and lets time go on until something is so.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> Make() = 0;
  virtual bool RunUntil(const std::function<bool()>& done) = 0;
};

class MemoryWire final : public Wire {
 public:
  std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> Make() override {
    return MemoryTransport::MakePair(executor_);
  }
  bool RunUntil(const std::function<bool()>& done) override {
    executor_.Run();
    return done();
  }

 private:
  ManualExecutor executor_;
};

class SocketWire : public Wire {
 public:
  bool RunUntil(const std::function<bool()>& done) override {
    bool late = false;
    Timer limit(loop_, [&late] { late = true; });
    limit.ArmAfter(std::chrono::seconds(20));
    while (!done() && !late) uv_run(loop_.uv(), UV_RUN_ONCE);
    return done();
  }

 protected:
  std::unique_ptr<Transport> Adopt(OsHandle socket) {
    return std::move(*internal::AdoptTransport(loop_, std::move(socket), {}));
  }

  internal::UvLoop loop_{nullptr};
};

class PairWire final : public SocketWire {
 public:
  std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> Make() override {
    auto pair = MakePairHere();
    return {Adopt(std::move(pair->first)), Adopt(std::move(pair->second))};
  }
};

class LocalWire final : public SocketWire, private internal::Listener::Acceptor {
 public:
  std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> Make() override {
    auto endpoint = Endpoint::Parse(folder_.Endpoint());
    auto listener = internal::Listen(loop_, *endpoint, {}, {}, *this);
    EXPECT_TRUE(listener) << listener.error();
    auto connected = internal::ConnectTransport(loop_, *endpoint, {}, {});
    EXPECT_TRUE(connected) << connected.error();
    EXPECT_TRUE(RunUntil([&] { return accepted_ != nullptr; }));
    return {std::move(*connected), std::move(accepted_)};
  }

 private:
  void OnAccepted(std::unique_ptr<internal::FrameStream> stream) override {
    accepted_ = std::make_unique<internal::StreamTransport>(loop_, std::move(stream), Limits());
  }
  void OnClientWaits() override {}
  void OnRefused(const internal::Listener& /*listener*/, const Status& reason) override {
    ADD_FAILURE() << reason;
  }
  void OnAcceptFailed(const internal::Listener& /*listener*/, const Status& reason) override {
    ADD_FAILURE() << reason;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Transport> accepted_;
};

class DirectWire final : public SocketWire {
 public:
  std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> Make() override {
    std::unique_ptr<Transport> accepted;
    auto listener = internal::ListenDirect(
        loop_, folder_.Endpoint(), {},
        [&accepted](std::unique_ptr<Transport> transport) { accepted = std::move(transport); });
    EXPECT_TRUE(listener) << listener.error();
    auto connected = internal::ConnectDirect(loop_, folder_.Endpoint(), {});
    EXPECT_TRUE(connected) << connected.error();
    EXPECT_TRUE(RunUntil([&] { return accepted != nullptr; }));
    return {std::move(*connected), std::move(accepted)};
  }

 private:
  TemporaryFolder folder_;  // For a name that nobody else has.
};

struct Recorder final : Transport::Listener {
  void OnFrame(Frame frame) override {
    sizes.push_back(frame.words.size());
    handle_counts.push_back(frame.handles.size());
    for (const OsHandle& handle : frame.handles) contents.push_back(ReadAll(handle));
    if (on_frame) on_frame();
  }
  void OnClosed(Status status) override { closed.push_back(std::move(status)); }
  void OnUnsent(OutgoingMessage /*message*/, const Status& reason) override {
    ADD_FAILURE() << reason;
  }

  std::vector<size_t> sizes;
  std::vector<size_t> handle_counts;
  std::vector<std::string> contents;
  std::vector<Status> closed;
  std::function<void()> on_frame;
};

OutgoingMessage Message(size_t bytes, const std::vector<std::string>& files = {}) {
  OutgoingMessage message = OutgoingMessage::ForCall(1, 0);
  message.payload().initAs<sample::Sample::BlobParams>().initData(static_cast<uint32_t>(bytes));
  for (const std::string& file : files) {
    capnp::MallocMessageBuilder scratch;
    message.handles().Put(scratch.initRoot<schema::OsHandle>(), FileWith(file));
  }
  return message;
}

using WireMaker = std::unique_ptr<Wire> (*)();

class TransportConformanceTest : public InventoriedTest,
                                 public ::testing::WithParamInterface<WireMaker> {
 protected:
  TransportConformanceTest() : wire_(GetParam()()) {
    std::tie(a_, b_) = wire_->Make();
    for (Transport* each : {a_.get(), b_.get()}) each->TakeHandles(true);
    a_->Start(at_a_);
    b_->Start(at_b_);
  }

  std::unique_ptr<Wire> wire_;
  Recorder at_a_;
  Recorder at_b_;
  std::unique_ptr<Transport> a_;
  std::unique_ptr<Transport> b_;
};

TEST_P(TransportConformanceTest, MessagesArriveWholeAndInOrder) {
  std::vector<size_t> sizes;
  for (size_t bytes : {0, 1, 1000, 300'000, 8, 1'000'000, 3}) {
    OutgoingMessage message = Message(bytes);
    sizes.push_back(message.ByteSize() / 8);
    a_->Send(std::move(message));
  }
  ASSERT_TRUE(wire_->RunUntil([&] { return at_b_.sizes.size() == sizes.size(); }));
  EXPECT_EQ(at_b_.sizes, sizes);
  EXPECT_EQ(a_->queued().bytes, 0U);
}

TEST_P(TransportConformanceTest, BothDirectionsAtOnce) {
  for (int i = 0; i < 20; ++i) {
    a_->Send(Message(200'000));
    b_->Send(Message(100'000));
  }
  EXPECT_TRUE(
      wire_->RunUntil([&] { return at_a_.sizes.size() == 20 && at_b_.sizes.size() == 20; }));
}

TEST_P(TransportConformanceTest, HandlesArriveWithTheirMessage) {
  a_->Send(Message(10));
  a_->Send(Message(500'000, {"one", "two"}));
  a_->Send(Message(10, {"three"}));
  a_->Send(Message(10));
  ASSERT_TRUE(wire_->RunUntil([&] { return at_b_.sizes.size() == 4; }));
  EXPECT_THAT(at_b_.handle_counts, ::testing::ElementsAre(0, 2, 1, 0));
  EXPECT_THAT(at_b_.contents, ::testing::ElementsAre("one", "two", "three"));
}

TEST_P(TransportConformanceTest, CloseDeliversWhatWasSentAndIsSeenOnce) {
  bool done = false;
  for (int i = 0; i < 10; ++i) a_->Send(Message(100'000, {"x"}));
  a_->Close([&done] { done = true; });
  EXPECT_FALSE(done) << "called back inside Close";
  ASSERT_TRUE(wire_->RunUntil([&] { return done && !at_b_.closed.empty(); }));
  EXPECT_EQ(at_b_.sizes.size(), 10U);
  EXPECT_EQ(at_b_.closed, std::vector<Status>{Status()});
  EXPECT_TRUE(at_a_.closed.empty());
}

TEST_P(TransportConformanceTest, DestructionIsSeenByTheOtherSide) {
  a_.reset();
  EXPECT_TRUE(wire_->RunUntil([&] { return at_b_.closed.size() == 1; }));
}

TEST_P(TransportConformanceTest, MayBeDestroyedInItsListener) {
  at_b_.on_frame = [this] { b_.reset(); };
  for (int i = 0; i < 3; ++i) a_->Send(Message(10, {"x"}));
  EXPECT_TRUE(wire_->RunUntil([&] { return b_ == nullptr && !at_a_.closed.empty(); }));
  EXPECT_EQ(at_b_.sizes.size(), 1U);
}

TEST_P(TransportConformanceTest, SendAfterThePeerHasGoneIsHarmless) {
  b_.reset();
  for (int i = 0; i < 3; ++i) a_->Send(Message(10, {"x"}));
  EXPECT_TRUE(wire_->RunUntil([&] { return at_a_.closed.size() == 1; }));
  a_->Send(Message(10, {"x"}));
}

template <typename T>
std::unique_ptr<Wire> MakeWire() {
  return std::make_unique<T>();
}

std::string WireName(const ::testing::TestParamInfo<WireMaker>& wire) {
  constexpr std::array kNames = {"Memory", "Pair", "Local", "Direct"};
  return kNames.at(wire.index);
}

INSTANTIATE_TEST_SUITE_P(All, TransportConformanceTest,
                         ::testing::Values(&MakeWire<MemoryWire>, &MakeWire<PairWire>,
                                           &MakeWire<LocalWire>, &MakeWire<DirectWire>),
                         WireName);

}  // namespace
}  // namespace lwmsg::test
