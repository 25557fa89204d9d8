#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/conformance/host.h"
#include "tests/conformance/target.h"
#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"
#include "tests/support/system.h"

namespace lwmsg::test {

enum class Mode { kLocal, kDirect, kPair };

inline std::string ModeName(const ::testing::TestParamInfo<Mode>& mode) {
  switch (mode.param) {
    case Mode::kLocal:
      return "Local";
    case Mode::kDirect:
      return "Direct";
    case Mode::kPair:
      return "Pair";
  }
  return "";
}

// A server on its own thread, and clients of it on the wanted connection mode.
class ModeTest : public InventoriedTest, public ::testing::WithParamInterface<Mode> {
 protected:
  // Where the server listens; not for PAIR.
  std::string Endpoint(const std::string& name = "s") const {
    return GetParam() == Mode::kDirect ? "direct:" + folder_.Path(name) : folder_.Endpoint(name);
  }
  void MakeHost(Host::MakeOptions options = [] { return ServerOptions(); }) {
    host_ = std::make_unique<Host>(target_, std::move(options));
  }
  // Makes the server, and listens.
  void Start(Host::MakeOptions options = [] { return ServerOptions(); }) {
    MakeHost(std::move(options));
    if (GetParam() == Mode::kPair) return;
    const Status listening = host_->Listen(Endpoint());
    ASSERT_TRUE(listening.ok()) << listening;
  }
  std::unique_ptr<BlockingClient> NewBlockingClient(ClientOptions options = {}) {
    if (GetParam() != Mode::kPair) {
      return std::make_unique<BlockingClient>(Endpoint(), std::move(options));
    }
    return std::make_unique<BlockingClient>(OtherEnd(), std::move(options));
  }
  std::unique_ptr<Client> NewClient(Loop& loop, ClientOptions options = {}) {
    if (GetParam() != Mode::kPair) {
      return std::make_unique<Client>(loop, Endpoint(), std::move(options));
    }
    return std::make_unique<Client>(loop, OtherEnd(), std::move(options));
  }
  // How a ping ends.
  static Status Ping(const BlockingClient& client) {
    auto reply = conformance::TargetClient(client).Ping().Sync();
    return reply ? Status() : reply.error();
  }

  TemporaryFolder folder_;
  Target target_;
  std::unique_ptr<Host> host_;

 private:
  // One end of a pair whose other end the server serves.
  OsHandle OtherEnd() {
    auto pair = MakePairHere();
    EXPECT_TRUE(pair) << pair.error();
    const Status adopted = host_->Adopt(std::move(pair->first));
    EXPECT_TRUE(adopted.ok()) << adopted;
    return std::move(pair->second);
  }
};

}  // namespace lwmsg::test
