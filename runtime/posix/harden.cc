#include "lwmsg/harden.h"

#include <sys/prctl.h>

#include <cerrno>

#include "runtime/posix/socket_address.h"

namespace lwmsg {

Status HardenProcess() {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0) return Status();
  return internal::ErrnoStatus("cannot keep others from tracing this process (PR_SET_DUMPABLE)",
                               errno);
}

}  // namespace lwmsg
