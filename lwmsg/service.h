#pragma once

#include <cstddef>
#include <vector>

#include "lwmsg/protocol.h"
#include "lwmsg/status.h"

namespace lwmsg {

class IncomingCall;

// What the generated service classes implement; users derive from those. Called on the
// association's loop. Whoever serves it must be destroyed, or stopped, before it is.
class Service {
 public:
  virtual ~Service() = default;
  virtual const Protocol& protocol() const = 0;

 private:
  friend class Association;
  // Hands the call to the method. What it throws is answered kInternal.
  virtual void Dispatch(IncomingCall call) = 0;
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

 private:
  std::vector<Entry> entries_;
};

}  // namespace lwmsg
