#pragma once

#include <memory>
#include <utility>

#include "tests/conformance/mode.h"

namespace lwmsg::test {

// A server for other processes, on a thread of its own.
class ConformanceLocal : public InventoriedTest {
 protected:
  void Start(Host::MakeOptions options = [] { return ServerOptions(); }) {
    host_ = std::make_unique<Host>(target_, std::move(options));
    const Status listening = host_->Listen(folder_.Endpoint());
    ASSERT_TRUE(listening.ok()) << listening;
  }

  TemporaryFolder folder_;
  Target target_;
  std::unique_ptr<Host> host_;
};

}  // namespace lwmsg::test
