#pragma once

#include <capnp/common.h>
#include <kj/array.h>

#include "lwmsg/internal/received.h"
#include "lwmsg/internal/received_handles.h"
#include "lwmsg/message.h"
#include "lwmsg/status.h"
#include "lwmsg/token.h"

namespace lwmsg {

// One whole received message, unvalidated but within the limits of size and number of handles.
struct Frame {
  kj::Array<capnp::word> words;
  internal::ReceivedHandles handles;
  // Of a server's peer: what it counts for.
  internal::Received received = {};
};

// The other half of the seam: moves whole messages between this process and one peer, in order,
// each once. Owned by an Association; all functions are called on its loop.
class Transport {
 public:
  class Listener {
   public:
    virtual void OnFrame(Frame frame) = 0;
    // Exactly once, and the last call; not after Close or destruction. OK: the peer ended the
    // stream at the end of a frame. kMalformed: its framing is broken; kDeadlineExceeded: a frame
    // is not complete in time, or nothing is taken. Then it can perhaps still be told.
    virtual void OnClosed(Status reason) = 0;
    // A message that was sent cannot go to this peer, as its OS handles cannot be passed; others
    // can.
    virtual void OnUnsent(OutgoingMessage message, const Status& reason) = 0;

   protected:
    ~Listener() = default;
  };

  virtual ~Transport() = default;

  // Begins to receive. `listener` outlives this object. Each listener function may destroy this.
  virtual void Start(Listener& listener) = 0;
  // Queues a message with its handles, also before the connection is there. Never blocks, never
  // calls the listener.
  virtual void Send(OutgoingMessage message) = 0;
  // Whether the peer may send OS handles, from now on. Where the system can, it then refuses those
  // of a peer that may not; otherwise they arrive.
  virtual void TakeHandles(bool /*takes*/) {}
  // Receives no more; sends what is queued if the peer takes it, then hangs up and calls `done`, at
  // the latest after Limits::send_timeout; at once if more was queued than
  // Limits::max_queued_bytes. Never calls inline.
  virtual void Close(UniqueFunction<void()> done) = 0;
  // What was sent but not taken by the kernel yet. DIRECT, inside one process, counts bytes alone.
  struct Queued {
    size_t bytes = 0;
    size_t messages = 0;
    size_t handles = 0;
    bool operator==(const Queued&) const = default;
  };
  virtual Queued queued() const = 0;
  // The same for all transports of the peer's user that share its loop, where that is counted.
  virtual Queued queued_for_user() const { return queued(); }
  // Complete when the first frame arrives; before that it may know less.
  virtual const Token& peer() const = 0;
};

}  // namespace lwmsg
