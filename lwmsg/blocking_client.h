#pragma once

#include <memory>
#include <string_view>

#include "lwmsg/client.h"

namespace lwmsg {

// A connection to a server for a thread that waits for its replies (`request.Sync()`); no loop, no
// other thread. Used on one thread at a time; for several threads, one client each, with one
// SessionKey if they share Handles. With direct:, the server must run on another thread. Otherwise
// as Client. Callbacks of Send, and calls of the server to a service, run inside a Sync of this
// client, and may call Sync in their turn.
class BlockingClient {
 public:
  explicit BlockingClient(std::string_view endpoints, ClientOptions options = {});
  explicit BlockingClient(OsHandle socket, ClientOptions options = {});
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;
  ~BlockingClient();

  operator Channel() const;  // NOLINT(google-explicit-constructor)
  Status Serve(Service& service);
  void Close();
  const Token& peer() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lwmsg
