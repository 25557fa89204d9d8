#include "lwmsg/harden.h"

namespace lwmsg {

Status HardenProcess() { return Status(); }

}  // namespace lwmsg
