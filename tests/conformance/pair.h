#pragma once

#include <memory>
#include <utility>

#include "tests/conformance/mode.h"
#include "tests/support/system.h"

namespace lwmsg::test {

// Both ends of a pair on threads of their own: the server's, and that of the test, whose client
// serves Listener.
class ConformancePair : public InventoriedTest {
 protected:
  ConformancePair() {
    auto pair = MakePairHere();
    EXPECT_TRUE(pair) << pair.error();
    ends_ = std::move(*pair);
  }
  // Between the constructor and this the ends are the test's.
  void Start(ClientOptions options = {}) {
    host_ = std::make_unique<Host>(target_);
    const Status adopted = host_->Adopt(std::move(ends_.first));
    ASSERT_TRUE(adopted.ok()) << adopted;
    client_ = std::make_unique<BlockingClient>(std::move(ends_.second), std::move(options));
    ASSERT_TRUE(client_->Serve(listener_).ok());
  }
  conformance::TargetClient target() const { return conformance::TargetClient(*client_); }

  // A new object of the server, as the client got its name.
  Handle<conformance::State> Open(const std::string& text, int32_t number) const {
    auto open = target().Open();
    open->setText(text);
    open->setNumber(number);
    auto state = open.Sync().and_then([](auto reply) { return reply.takeState(); });
    EXPECT_TRUE(state) << state.error();
    return state.value_or(Handle<conformance::State>());
  }
  Result<std::string> ReadText(const Handle<conformance::State>& state) const {
    auto read = target().ReadText();
    read->setState(state);
    return read.Sync().map([](auto reply) { return std::string(reply.getText()); });
  }
  Status Close(const Handle<conformance::State>& state) const {
    auto close = target().Close();
    close->setState(state);
    return StatusOf(close.Sync());
  }
  template <typename Reply>
  static Status StatusOf(const Result<Reply>& reply) {
    return reply ? Status() : reply.error();
  }

  std::pair<OsHandle, OsHandle> ends_;
  Target target_;
  Listener listener_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<BlockingClient> client_;
};

}  // namespace lwmsg::test
