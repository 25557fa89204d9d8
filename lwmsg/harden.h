#pragma once

#include "lwmsg/status.h"

namespace lwmsg {

// Keeps other processes of this process's user from taking its descriptors (pidfd_getfd(2)),
// reading its memory and tracing it (ptrace(2)): with one of its connections they would be its
// clients' server, or its server's client. For a service that shares its user with programs that it
// does not trust, first of all in main().
//
// It makes the process not dumpable (PR_SET_DUMPABLE, prctl(2)). That costs core dumps, and its
// files in /proc belong to root from then on, so that debuggers and tools of the same user see
// nothing; lwmsg itself needs none of that. exec resets it: each program calls this for itself, and
// between exec and this call it is open. A child of fork inherits it. It stops nobody who has
// CAP_SYS_PTRACE, as root. On Windows this does nothing: a program of the same user can rewrite any
// access list that would keep it out. Error: what the system says.
Status HardenProcess();

}  // namespace lwmsg
