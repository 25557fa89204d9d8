#pragma once

#include <uv.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "lwmsg/endpoint.h"
#include "lwmsg/limits.h"
#include "lwmsg/pair.h"
#include "lwmsg/server.h"
#include "lwmsg/token.h"
#include "runtime/frame_stream.h"
#include "runtime/io_loop.h"

// Everything that an operating system must provide. One implementation is linked: runtime/posix/ or
// runtime/windows/. "Native" below is what an IoLoop can watch: a socket on Unix, an event object
// on Windows.
namespace lwmsg::internal {

// Programs that this one starts do not inherit `handle`, as if it had come from a socket.
void KeepFromChildren(const OsHandle& handle);

// How many handles this process may have open.
size_t MostHandles();

// Makes room for so many, as far as this process may have them. Else Linux makes its table larger
// when it is full, and then waits for all processors if the process has threads: for 10 to 30 ms,
// seen on 6.18.
void ReserveHandles(size_t count);

uint32_t OwnPid();

// What a peer learns of this process.
Token OwnToken();

// See IoLoop::MakeWatch; on `loop`.
Result<std::unique_ptr<IoLoop::Watch>> MakeUvWatch(uv_loop_t* loop, OsHandle::Native native,
                                                   IoLoop::ReadyCallback callback);

// Wakes a loop from any thread.
class Waker {
 public:
  virtual ~Waker() = default;
  // The callback runs on the loop afterwards: once for this and all others since it ran last, or
  // more often.
  virtual void Wake() = 0;
  // For uv_ref and uv_unref.
  virtual uv_handle_t* handle() = 0;
};
// Error: kResourceExhausted if the system has no more of what it takes.
Result<std::unique_ptr<Waker>> MakeWaker(uv_loop_t* loop, UniqueFunction<void()> callback);

// One of several that a thread waits for.
struct Waited {
  OsHandle::Native native;
  IoLoop::Ready wanted;
  IoLoop::Ready happened = {};
};
// Waits until something wanted has happened, for at most `timeout_ms`; -1: without end.
void Wait(std::span<Waited> waited, int timeout_ms);

// Lets others run on this thread's processor, and returns.
void YieldProcessor();

// How long a read that waits does so at most: FrameStream::Read.
constexpr std::chrono::milliseconds kLongestRead{1000};

// To be connected to `endpoint`, of a kind other than DIRECT, and to no other server than `wanted`.
// Error: kInvalidArgument, kUnimplemented for a kind that this platform does not have.
Result<std::unique_ptr<FrameStream>> NewStream(const Endpoint& endpoint, const WantedServer& wanted,
                                               const Limits& limits);

// Over one that is connected. Error: kInvalidArgument if it is none.
Result<std::unique_ptr<FrameStream>> AdoptStream(OsHandle native, const Limits& limits);

// Accepts peers at an endpoint. Destroying it ends that, and removes its name if it is still its
// own.
class Listener {
 public:
  // Called on the loop; may destroy the listener.
  class Acceptor {
   public:
    virtual void OnAccepted(std::unique_ptr<FrameStream> stream) = 0;
    // A client waits at a listener that holds. Once for each Hold.
    virtual void OnClientWaits() = 0;
    // A client came that may not.
    virtual void OnRefused(const Listener& listener, const Status& reason) = 0;
    // Accepting failed, and goes on after a pause.
    virtual void OnAcceptFailed(const Listener& listener, const Status& reason) = 0;

   protected:
    ~Acceptor() = default;
  };

  virtual ~Listener() = default;
  // Whether clients may send OS handles before they are accepted, as Transport::TakeHandles; at
  // first they may.
  virtual void TakeHandles(bool /*takes*/) {}
  // Accepts no more, and leaves clients waiting in the kernel, until Resume.
  virtual void Hold() = 0;
  virtual void Resume() = 0;
  // The endpoint as text.
  virtual const std::string& name() const = 0;
};
// `acceptor` outlives the listener. The limits are for the streams.
Result<std::unique_ptr<Listener>> Listen(IoLoop& loop, const Endpoint& endpoint,
                                         const ListenOptions& options, const Limits& limits,
                                         Listener::Acceptor& acceptor);
Result<std::unique_ptr<Listener>> ListenOn(IoLoop& loop, OsHandle socket, const Limits& limits,
                                           Listener::Acceptor& acceptor);

}  // namespace lwmsg::internal
