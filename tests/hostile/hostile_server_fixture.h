#pragma once

#include <chrono>
#include <memory>
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
  HostileServerTest() { Renew(); }

  // Both go, and others take their place.
  void Renew() {
    DropClient();
    auto pair = MakePairHere();
    server_.emplace(RawStream(std::move(pair->first)));
    client_end_ = std::move(pair->second);
  }
  void DropClient() {
    blocking_.reset();
    loop_client_.reset();
  }

  // Calls echo; its status. What the server says must be written before.
  Status Call(const std::string& text = "") {
    auto echo = Sample().Echo();
    echo->setText(text);
    return Finish(std::move(echo), [](auto& /*reply*/) {});
  }
  Status CallAfter(const std::string& bytes) {
    server_->Write(bytes);
    return Call();
  }

  // Of the client, which begins with the first.
  sample::SampleClient Sample() {
    if (GetParam() == ClientKind::kBlocking) {
      if (!blocking_) blocking_.emplace(std::move(client_end_), std::exchange(options_, {}));
      return sample::SampleClient(*blocking_);
    }
    if (!loop_client_)
      loop_client_.emplace(loop_, std::move(client_end_), std::exchange(options_, {}));
    return sample::SampleClient(*loop_client_);
  }
  // What a call comes to. `see` gets the reply, if there is one.
  template <typename Request, typename See>
  Status Finish(Request request, See see) {
    const auto begin = std::chrono::steady_clock::now();
    // Of one that hangs the callback comes when this function has ended.
    const auto status = std::make_shared<std::optional<Status>>();
    const auto done = [status, see](auto reply) {
      if (reply) see(*reply);
      *status = reply ? Status() : reply.error();
    };
    if (GetParam() == ClientKind::kBlocking) {
      done(request.Sync());
    } else {
      request.Send(done);
      RunLoopUntil(loop_, [&] { return status->has_value(); });
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10)) << "it hung";
    return status->value_or(Status(StatusCode::kInternal, "no answer"));
  }

  // What the client told its server last.
  std::optional<Status> GoodbyeOfClient() {
    DropClient();
    server_->Read();
    return server_->Goodbye();
  }

  ClientOptions options_;
  OsHandle client_end_;
  std::optional<RawPeer> server_;

 private:
  Loop loop_;
  std::optional<BlockingClient> blocking_;
  std::optional<Client> loop_client_;
};

}  // namespace lwmsg::test
