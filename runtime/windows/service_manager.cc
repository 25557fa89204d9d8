#include "lwmsg/service_manager.h"

#include <string>

namespace lwmsg {

// The protocol hands over sockets, which are no endpoints here, and Windows's own service control
// manager speaks another one.
Result<OsHandle> TakeListenSocket(std::string_view name) {
  return Error(StatusCode::kFailedPrecondition, "no socket named '" + std::string(name) +
                                                    "' was handed over: there is no such service "
                                                    "manager on Windows; listen at pipe:name");
}

Status NotifyReady(std::string_view /*text*/) { return Status(); }
Status NotifyStopping(std::string_view /*text*/) { return Status(); }
Status NotifyStatus(std::string_view /*text*/) { return Status(); }

}  // namespace lwmsg
