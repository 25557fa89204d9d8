#pragma once

#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "tests/hostile/fixture.h"
#include "tests/support/system.h"

namespace lwmsg::test {

enum class ClientKind { kBlocking, kLoop };

inline std::string NameOf(ClientKind kind) {
  return kind == ClientKind::kBlocking ? "Blocking" : "Loop";
}
inline void PrintTo(ClientKind kind, std::ostream* out) { *out << NameOf(kind); }

// A client over one end of a pair; the test is the server at the other.
class HostileServerTest : public InventoriedTest, public testing::WithParamInterface<ClientKind> {
 protected:
  HostileServerTest() {
    auto pair = MakePairHere();
    server_.emplace(RawStream(std::move(pair->first)));
    client_end_ = std::move(pair->second);
  }

  // Calls echo; its status. What the server says must be written before.
  Status Call(const std::string& text = "") {
    const auto begin = std::chrono::steady_clock::now();
    Status status = GetParam() == ClientKind::kBlocking ? BlockingCall(text) : LoopCall(text);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10)) << "it hung";
    return status;
  }
  Status CallAfter(const std::string& bytes) {
    server_->Write(bytes);
    return Call();
  }

  // What the client told its server last.
  std::optional<Status> GoodbyeOfClient() {
    blocking_.reset();
    loop_client_.reset();
    server_->Read();
    return server_->Goodbye();
  }

  ClientOptions options_;
  OsHandle client_end_;
  std::optional<RawPeer> server_;

 private:
  Status BlockingCall(const std::string& text) {
    if (!blocking_) blocking_.emplace(std::move(client_end_), std::move(options_));
    auto echo = sample::SampleClient(*blocking_).Echo();
    echo->setText(text);
    auto reply = echo.Sync();
    return reply ? Status() : reply.error();
  }
  Status LoopCall(const std::string& text) {
    if (!loop_client_) loop_client_.emplace(loop_, std::move(client_end_), std::move(options_));
    std::optional<Status> status;
    auto echo = sample::SampleClient(*loop_client_).Echo();
    echo->setText(text);
    echo.Send([&](auto reply) { status = reply ? Status() : reply.error(); });
    RunLoopUntil(loop_, [&] { return status.has_value(); });
    return status.value_or(Status(StatusCode::kInternal, "no answer"));
  }

  Loop loop_;
  std::optional<BlockingClient> blocking_;
  std::optional<Client> loop_client_;
};

}  // namespace lwmsg::test
