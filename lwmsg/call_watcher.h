#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "lwmsg/protocol.h"
#include "lwmsg/status.h"
#include "lwmsg/token.h"

namespace lwmsg {

enum class CallDirection { kIncoming, kOutgoing };

// Which call, and whose.
struct CallInfo {
  CallDirection direction;
  // Null if this side does not know the interface.
  const Protocol* protocol;
  uint64_t interface_id;
  uint16_t method;
  // As on the wire; 0 for one that is one-way or was never sent.
  uint32_t id;
  // The other side; before a connection is there it is unknown.
  Token peer;

  // "Calculator.add", with numbers for what is unknown.
  std::string name() const;
};

// Sees every call of a server or client begin and end, for statistics and audits. Called on the
// association's loop. Must not throw, and not use the objects of lwmsg: they are in the middle of
// something.
class CallWatcher {
 public:
  virtual ~CallWatcher() = default;
  // Before the handler runs; or when the call is sent.
  virtual void OnBegin(const CallInfo& call) = 0;
  // Once for each OnBegin: when the reply is sent, or before the caller's callback runs. A call
  // that never came to its handler, or was never sent, ends at once with the reason; a one-way call
  // when it is sent, or when its handler has returned or was given to a thread.
  virtual void OnEnd(const CallInfo& call, const Status& status,
                     std::chrono::nanoseconds duration) = 0;
};

}  // namespace lwmsg
