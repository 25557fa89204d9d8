#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "lwmsg/association.h"
#include "lwmsg/loop.h"
#include "lwmsg/session_key.h"

namespace lwmsg {

// What a client does when its connection has ended.
enum class Reconnect {
  // Stays so: every call fails with kUnavailable.
  kNever,
  // The next call connects again. Calls that were under way have failed; nothing is sent twice. The
  // server must be the same user as before.
  kOnNextCall,
};

struct ClientOptions {
  Limits limits = {};
  // The effective user whose server is wanted, as the kernel reports it. Nothing is sent to another
  // one: calls fail with kPermissionDenied. Says who must have listened; for a pair, who writes.
  // Not given: at an endpoint, root or this process's user, as anybody may take a name that is
  // free; over a pair, whoever has the other end.
  std::optional<uint32_t> server_euid = {};
  // Without server_euid: takes a server of any user, also of one without a number here, as root is
  // for a program in a user namespace of its own. It may be whoever could take the name first, and
  // learns all that is sent. Whose the folders are does not count then.
  bool any_server = false;
  // Connects to a socket file whatever its folders. Otherwise (kPermissionDenied) each on the way,
  // also behind symbolic links, must belong to root, this user or server_euid, and nobody else may
  // write to it, in person or as its group; or it is like /tmp (sticky), and what is used of it
  // belongs to one of them. Who else can change the way can lead this client to another server that
  // it accepts.
  bool any_folder = false;
  Log log = {};
  // Sees all calls; may be null.
  std::shared_ptr<CallWatcher> watcher = {};
  Reconnect reconnect = Reconnect::kNever;
  // Clients with copies of one key are in one session. Empty: a session of its own for each
  // connection.
  std::optional<SessionKey> session = {};
  // Of a BlockingClient: how long it looks for what it waits for before it sleeps, as
  // Loop::SetBusyWait, which is for clients on a loop.
  std::chrono::microseconds busy_wait{20};
  // Called when a connection has ended, with the reason.
  UniqueFunction<void(const Status& reason)> on_end = {};
  // Called when a connection is in another session than the one before: the server was started
  // again, or every connection of the session was lost. All Handles of before are invalid.
  UniqueFunction<void()> on_session_lost = {};
};

// A connection to a server, on a loop. Connects with the first call. May be destroyed at any time
// on its loop: calls that wait get kUnavailable.
class Client {
 public:
  // To an Endpoint, "unix:/run/app.sock", or several, "direct:app,unix:/run/app.sock": the first
  // where a server is. What is wrong is the error of the first call.
  Client(Loop& loop, std::string_view endpoints, ClientOptions options = {});
  // Over a connected Unix stream socket, such as one end of a pair. Never connects again.
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
  // What its connection is doing.
  AssociationState State() const;
  // The server's process, known when the first reply has come; before that, who listens.
  const Token& peer() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lwmsg
