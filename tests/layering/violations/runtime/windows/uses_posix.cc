// runtime/windows/ must not include "runtime/posix/spawn.h"
#include "runtime/posix/spawn.h"
