#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lwmsg/endpoint.h"
#include "lwmsg/limits.h"
#include "lwmsg/pair.h"
#include "lwmsg/server.h"
#include "lwmsg/transport.h"
#include "runtime/io_loop.h"

// Everything that an operating system must provide. One implementation is linked: runtime/posix/.
namespace lwmsg::internal {

// An IoLoop for a thread that waits itself: the blocking client's.
class BlockingLoop : public IoLoop {
 public:
  // Waits until something happens, if it `may_wait`, and lets what has happened take its course.
  virtual void RunOnce(bool may_wait) = 0;
};
std::unique_ptr<BlockingLoop> MakeBlockingLoop();

// Connects to `endpoint`, of a kind other than DIRECT; one that is there but busy is waited for
// once the transport is started. If `server_euid` is given, nothing is sent to a server that does
// not belong to that user. Error: kUnavailable or kNotFound if there is no server,
// kPermissionDenied.
Result<std::unique_ptr<Transport>> ConnectTransport(IoLoop& loop, const Endpoint& endpoint,
                                                    std::optional<uint32_t> server_euid,
                                                    const Limits& limits);

// Programs that this one starts do not inherit `handle`, as if it had come from a socket.
void KeepFromChildren(const OsHandle& handle);

// What a peer learns of this process.
Token OwnToken();

// Speaks over a connected socket: one that was accepted, or one end of a pair. Error:
// kInvalidArgument if it is no such socket.
Result<std::unique_ptr<Transport>> AdoptTransport(IoLoop& loop, OsHandle socket,
                                                  const Limits& limits);

// A socket that listens. Destroying it ends that, and removes its name if it is still its own.
class Listener {
 public:
  // Called on the loop; may destroy the listener.
  class Acceptor {
   public:
    virtual void OnAccepted(OsHandle socket) = 0;
    // A client waits at a listener that holds. Once for each Hold.
    virtual void OnClientWaits() = 0;
    // Accepting failed, and goes on after a pause.
    virtual void OnAcceptFailed(const Listener& listener, const Status& reason) = 0;

   protected:
    ~Acceptor() = default;
  };

  virtual ~Listener() = default;
  // Accepts no more, and leaves clients in the kernel's backlog, until Resume.
  virtual void Hold() = 0;
  virtual void Resume() = 0;
  // The endpoint as text.
  virtual const std::string& name() const = 0;
};
// `acceptor` outlives the listener.
Result<std::unique_ptr<Listener>> Listen(IoLoop& loop, const Endpoint& endpoint,
                                         const ListenOptions& options,
                                         Listener::Acceptor& acceptor);
Result<std::unique_ptr<Listener>> ListenOn(IoLoop& loop, OsHandle socket,
                                           Listener::Acceptor& acceptor);

}  // namespace lwmsg::internal
