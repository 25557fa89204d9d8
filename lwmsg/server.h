#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lwmsg/call_watcher.h"
#include "lwmsg/function.h"
#include "lwmsg/limits.h"
#include "lwmsg/log.h"
#include "lwmsg/loop.h"
#include "lwmsg/new_session.h"
#include "lwmsg/os_handle.h"
#include "lwmsg/service.h"
#include "lwmsg/state.h"
#include "lwmsg/status.h"
#include "lwmsg/token.h"

namespace lwmsg {

// Of a socket file or a pipe. The umask plays no part.
struct ListenOptions {
  // Permissions of the socket file; whoever may write to it may connect (unix(7)). A pipe gets an
  // access list that says the same, with SYSTEM as root; programs of the network, and but for 0002
  // sandboxes too, stay out.
  uint32_t mode = 0600;
  // User and group that it shall belong to, by name, number or (Windows) SID; empty: those of this
  // process. A pipe that lets in a group needs its name: the primary group is mostly all users.
  std::string owner = {};
  std::string group = {};
  // Connections that may wait to be accepted (listen(2)).
  int backlog = 128;
  // Ends a connection to which another user writes than the one that connected, before any of it is
  // heard (Linux; of a pipe kUnimplemented). Without this, what anybody writes who got hold of the
  // connection, as by inheriting it, counts as its connector's, as call.peer() says. The kernel
  // names a writer by his real user: a program whose effective user is another, as a setuid one, is
  // refused too, and so is a user who has no number here. Not proof against root, who can write
  // under any name, nor against processes of the same user.
  bool strict_senders = false;
  // Listens whatever the folder. Otherwise (kPermissionDenied) the way to a socket file must be as
  // ClientOptions::any_folder says, for root and this process's user: who else may write to one of
  // its folders could take the name.
  bool any_folder = false;
};

struct ServerOptions {
  Limits limits = {};
  Log log = {};
  // Sees all calls; may be null.
  std::shared_ptr<CallWatcher> watcher = {};
  // Called when an association ends, with its peer and the reason; for logs.
  UniqueFunction<void(const Token& peer, const Status& reason)> on_end = {};
  // The session's constructor: called for each caller that comes for the first time, lets it in or
  // refuses it, now or later, and may make the data that handlers get for it. Its calls wait for
  // that. Empty: everybody is let in.
  UniqueFunction<void(NewSession session)> on_session = {};
  // How many `$Lwmsg.blocking` handlers may run at a time, at least 1; further calls wait, and the
  // users whose calls they are take turns.
  unsigned threads = 4;
  // How many loops carry the associations. The first is the one that the server lives on; each
  // other has a thread of its own, which the server starts and ends, and the busy wait that the
  // first has when the server is made. All associations of a process are on one loop, so that they
  // can share a session; a new process goes to the loop with the fewest, and so does each
  // association whose process is not known. Those over `direct:` and Adopt stay on the server's
  // loop, and share no session with one that is elsewhere.
  //
  // With more than one, handlers, on_session, on_end, the watcher and the log run on several
  // threads at a time, each call on its association's loop, and must be made for that; what belongs
  // to the server's loop, such as the server or a Client, is not theirs to use there (Loop::Post).
  // They must not wait for the server's loop, which waits for them in Server::State and at the end.
  // fork(2) leaves the other threads behind: a server that goes on in a child has one loop.
  unsigned loops = 1;
};

// Accepts peers and gives their calls to services. Lives on `loop`; may be destroyed at any time on
// it, also inside a handler that runs on it: that ends its associations at once. It then waits for
// the blocking handlers that run, whose stop_token says so, and for the handlers that run on its
// other loops (ServerOptions::loops), inside which it may not be destroyed.
//
// At Limits::max_associations, and when there is no descriptor for another, clients wait in the
// backlog until a place is free. While one waits, and only then, the association that has been idle
// longest is ended (kUnavailable), if it has no calls in hand and no session objects and has been
// silent for Limits::idle_timeout: one for each client that waits.
class Server {
 public:
  explicit Server(Loop& loop, ServerOptions options = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Offers `service`, which outlives this server, to peers that come from now on. Error:
  // kAlreadyExists if its interface, or one that it extends, is offered already.
  Status Serve(Service& service);

  // Listens at an Endpoint, "unix:/run/app.sock", "pipe:app" (Windows) or "direct:app" (clients of
  // this process); may be called several times. A socket file appears with its final mode and
  // owner and already listening, replaces a file that a dead server left, never a live one's, and
  // goes with the server; a lock file (app.sock.lock) stays beside it. Error: kAlreadyExists,
  // kPermissionDenied, kNotFound (no such directory or user), kInvalidArgument, kUnimplemented (of
  // another system).
  Status Listen(std::string_view endpoint, const ListenOptions& options = {});
  // Listens on a Unix stream socket that listens already, as a service manager hands over. Its name
  // is not removed. Error: kInvalidArgument.
  Status ListenOn(OsHandle socket);
  // Serves one peer over a connected Unix stream socket: one end of a pair, or one accepted
  // elsewhere. Error: kInvalidArgument.
  Status Adopt(OsHandle socket);

  // Ends listening and all associations, with a goodbye. May listen again afterwards.
  void Stop();
  // Takes no new peers and calls; ends each association when its calls are answered, and the rest
  // after `deadline`. `done` runs when none is left.
  void Drain(std::chrono::milliseconds deadline, UniqueFunction<void()> done);

  size_t association_count() const;
  // What it is doing now: `ToString(server.State())` for an operator. Waits for what its other
  // loops have in hand.
  ServerState State() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lwmsg
