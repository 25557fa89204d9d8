// runtime/ must not include "runtime/posix/spawn.h"
#include "runtime/posix/spawn.h"
