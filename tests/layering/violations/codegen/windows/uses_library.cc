// codegen/windows/ must not include "lwmsg/status.h"
#include "lwmsg/status.h"
