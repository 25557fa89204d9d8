#pragma once

#include <cstddef>
#include <vector>

#include "lwmsg/protocol.h"
#include "lwmsg/status.h"

namespace lwmsg {

class IncomingCall;
class Service;

namespace internal {
Status RunHandler(Service& service, IncomingCall call);
}

// What the generated service classes implement; users derive from those. Called on the
// association's loop, and its `$Lwmsg.blocking` methods on threads of the server's pool, several at
// a time. Whoever serves it must be destroyed, or stopped, before it is; as an object of a session
// it is kept alive by the session and by the calls that it has in hand.
class Service {
 public:
  virtual ~Service() = default;
  virtual const Protocol& protocol() const = 0;

 private:
  friend Status internal::RunHandler(Service& service, IncomingCall call);
  // Hands the call to the method. What it throws is answered.
  virtual void DispatchIncoming(IncomingCall call) = 0;
};

// The services that an association, a server or a client offers. At most one for each interface.
class ServiceTable {
 public:
  struct Entry {
    const Protocol* protocol;
    Service* service;
  };

  // `service` is served under its interface and every interface that it extends. Error:
  // kAlreadyExists if one of them is taken.
  Status Add(Service& service);
  // Null if nothing serves this interface.
  const Entry* Find(uint64_t interface_id) const;
  const std::vector<Entry>& entries() const { return entries_; }
  // Whether a caller may have OS handles to send: in a call, or in one to an object that it passes
  // or gets.
  bool takes_handles() const { return takes_handles_; }

 private:
  std::vector<Entry> entries_;
  bool takes_handles_ = false;
};

// The protocol by which `service` serves an interface: its own or one that it extends; null if it
// does not.
const Protocol* FindProtocol(const Service& service, uint64_t interface_id);

}  // namespace lwmsg
