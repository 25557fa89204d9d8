#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "lwmsg/association.h"
#include "lwmsg/loop.h"

namespace lwmsg {

struct ClientOptions {
  Limits limits = {};
  // If given, nothing is sent to a server that does not belong to this effective user, as the
  // kernel reports it: calls fail with kPermissionDenied. Says who must have listened; for a pair,
  // who writes.
  std::optional<uint32_t> server_euid = {};
  // Called once when the connection has ended, with the reason.
  UniqueFunction<void(const Status& reason)> on_end = {};
};

// A connection to a server, on a loop. Connects with the first call. When the connection has ended
// it stays so: calls fail with kUnavailable, and a new Client is needed; nothing is ever sent
// twice. May be destroyed at any time on its loop: calls that wait get kUnavailable.
class Client {
 public:
  // To an Endpoint, "unix:/run/app.sock". What is wrong with it is the error of the first call.
  Client(Loop& loop, std::string_view endpoint, ClientOptions options = {});
  // Over a connected Unix stream socket, such as one end of a pair.
  Client(Loop& loop, OsHandle socket, ClientOptions options = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // For generated clients: `CalculatorClient calculator(client);`
  // NOLINTNEXTLINE(google-explicit-constructor): a client is a channel to its users.
  operator Channel() const;
  // Offers a service to the server; before the first call. Error as Server::Serve.
  Status Serve(Service& service);
  // Connects now rather than with the first call.
  void Connect();
  // Ends the connection with a goodbye.
  void Close();
  // The server's process, known when the first reply has come; before that, who listens.
  const Token& peer() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lwmsg
