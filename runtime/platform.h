#pragma once

#include <memory>
#include <optional>
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

// What a peer learns of this process.
Token OwnToken();

// Speaks over a connected socket: one that was accepted, or one end of a pair. Error:
// kInvalidArgument if it is no such socket.
Result<std::unique_ptr<Transport>> AdoptTransport(IoLoop& loop, OsHandle socket,
                                                  const Limits& limits);

// A socket that listens. Destroying it ends that, and removes its name if it is still its own.
class Listener {
 public:
  virtual ~Listener() = default;
};
// `accepted` gets each new connection, on the loop.
using AcceptCallback = UniqueFunction<void(OsHandle socket)>;
Result<std::unique_ptr<Listener>> Listen(IoLoop& loop, const Endpoint& endpoint,
                                         const ListenOptions& options, AcceptCallback accepted);
Result<std::unique_ptr<Listener>> ListenOn(IoLoop& loop, OsHandle socket, AcceptCallback accepted);

}  // namespace lwmsg::internal
