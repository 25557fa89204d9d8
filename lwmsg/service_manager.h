#pragma once

#include <string_view>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"

namespace lwmsg {

// What a service manager that speaks systemd's protocols gives to a service and wants to hear from
// it. All of it goes by environment variables: not to be called while another thread calls setenv
// or, for TakeListenSocket, this. Without a service manager the Notify functions do nothing.

// The listening socket that was handed over to this process under `name` (FileDescriptorName= of
// the socket unit; "unknown" if the manager gives no names, sd_listen_fds(3)), for
// Server::ListenOn. Each once; of several with one name, the next. All that were handed over become
// close-on-exec. Error: kFailedPrecondition if none were handed over to this very process or what
// says so makes no sense, kNotFound, with the names that there are.
Result<OsHandle> TakeListenSocket(std::string_view name);

// Tells the manager (sd_notify(3)) that the service is ready for its clients, that it is about to
// end, or only what it is doing; `text` is a line for people, empty for none. Waits for at most 5
// seconds for a manager that is busy. OK if there is none (NOTIFY_SOCKET is not set). Error:
// kInvalidArgument for a text of several lines, otherwise what the system says.
Status NotifyReady(std::string_view text = {});
Status NotifyStopping(std::string_view text = {});
Status NotifyStatus(std::string_view text);

}  // namespace lwmsg
